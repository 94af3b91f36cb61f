package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
	"sigs.k8s.io/yaml"
)

type description struct {
	Metadata     *chart.Metadata `json:"metadata"`
	Values       map[string]any  `json:"values"`
	ValuesText   string          `json:"valuesText,omitempty"`
	Schema       string          `json:"schema,omitempty"`
	Files        []string        `json:"files"`
	Dependencies []string        `json:"dependencies"`
	Crds         []document      `json:"crds"`
}

// loadChart unpacks with Helm's own loader, which refuses paths outside the chart and archives that grow too large.
// What is neither file nor folder is refused here: the loader would take it for an empty file.
func loadChart(data []byte, folder bool) (*chart.Chart, error) {
	// As Helm tells it of a file: what the unpacker says of one, "EOF", helps nobody.
	if !bytes.HasPrefix(data, []byte("\x1f\x8b\x08")) {
		return nil, at("archive", fmt.Errorf("does not appear to be a gzipped archive; got '%s'", http.DetectContentType(data)))
	}
	files, err := archive.LoadArchiveFiles(bytes.NewReader(data))
	if err != nil {
		return nil, at("archive", err)
	}
	if err := refuseOddEntries(data); err != nil {
		return nil, at("archive", err)
	}
	if err := refuseUnknownKind(files); err != nil {
		return nil, at("chart", err)
	}
	if folder {
		if files, err = withoutIgnored(files); err != nil {
			return nil, at("archive", err)
		}
	}
	loaded, err := loader.LoadFiles(files)
	return loaded, at("chart", err)
}

// refuseUnknownKind does what the newer loader of Helm's commands does first. Helm has begun on a third kind of chart, which no command of
// it installs yet: it refuses one later, or dies of it.
func refuseUnknownKind(files []*archive.BufferedFile) error {
	for _, file := range files {
		if file.Name != "Chart.yaml" {
			continue
		}
		var kind struct {
			APIVersion string `json:"apiVersion"`
		}
		if err := yaml.Unmarshal(file.Data, &kind); err != nil {
			return fmt.Errorf("cannot load Chart.yaml: %w", err)
		}
		switch kind.APIVersion {
		case chart.APIVersionV1, chart.APIVersionV2, "":
			return nil
		}
		return fmt.Errorf("unsupported chart version `%s`", kind.APIVersion)
	}
	return errors.New("unable to detect chart version, no Chart.yaml found")
}

func refuseOddEntries(data []byte) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	defer unzipped.Close()
	for entries := tar.NewReader(unzipped); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch header.Typeflag {
		case tar.TypeSymlink, tar.TypeLink:
			return fmt.Errorf("chart archive contains a link: %q", header.Name)
		case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
			return fmt.Errorf("chart archive contains a device: %q", header.Name)
		}
		if path.IsAbs(header.Name) {
			return fmt.Errorf("chart illegally contains absolute paths: %q", header.Name)
		}
	}
}

// fileInfo is what Helm's ignore rules want to know about an entry.
type fileInfo struct {
	name      string
	directory bool
}

func (f fileInfo) Name() string       { return path.Base(f.name) }
func (f fileInfo) Size() int64        { return 0 }
func (f fileInfo) ModTime() time.Time { return time.Time{} }
func (f fileInfo) IsDir() bool        { return f.directory }
func (f fileInfo) Sys() any           { return nil }
func (f fileInfo) Mode() fs.FileMode {
	if f.directory {
		return fs.ModeDir
	}
	return 0
}

// withoutIgnored applies .helmignore as Helm's directory loader does; archives are never filtered.
func withoutIgnored(files []*archive.BufferedFile) ([]*archive.BufferedFile, error) {
	rules := ignore.Empty()
	for _, file := range files {
		if file.Name == ignore.HelmIgnore {
			parsed, err := ignore.Parse(bytes.NewReader(file.Data))
			if err != nil {
				return nil, err
			}
			rules = parsed
		}
	}
	rules.AddDefaults()
	kept := files[:0]
	for _, file := range files {
		ignored := rules.Ignore(file.Name, fileInfo{file.Name, false})
		for directory := path.Dir(file.Name); directory != "." && !ignored; directory = path.Dir(directory) {
			ignored = rules.Ignore(directory, fileInfo{directory, true})
		}
		if !ignored {
			kept = append(kept, file)
		}
	}
	return kept, nil
}

// valuesFiles names files of a chart that are its default values, in place of values.yaml.
type valuesFiles struct {
	Paths         []string `json:"paths"`
	IgnoreMissing bool     `json:"ignoreMissing"`
}

// use puts the merged files where the chart's own values.yaml was. Source: source-controller internal/helm/chart/{builder,metadata}.go
func (f *valuesFiles) use(loaded *chart.Chart) error {
	if f == nil || len(f.Paths) == 0 {
		return nil
	}
	merged := map[string]any{}
	for _, name := range f.Paths {
		name = path.Clean(name)
		if name == "values.yaml" {
			merged = loader.MergeMaps(merged, loaded.Values)
			continue
		}
		index := slices.IndexFunc(loaded.Files, func(file *common.File) bool { return file.Name == name })
		if index == -1 {
			if f.IgnoreMissing {
				continue
			}
			return at("chart", fmt.Errorf("no values file found at path '%s'", name))
		}
		values, err := loader.LoadValues(bytes.NewReader(loaded.Files[index].Data))
		if err != nil {
			return at("chart", fmt.Errorf("unmarshaling values from '%s' failed: %w", name, err))
		}
		merged = loader.MergeMaps(merged, values)
	}
	written, err := yaml.Marshal(merged)
	if err != nil {
		return at("chart", err)
	}
	for _, file := range loaded.Raw {
		if file.Name == "values.yaml" {
			file.Data = written
		}
	}
	loaded.Values = merged
	return nil
}

// installable applies the two checks that `helm install` makes before it renders.
func installable(loaded *chart.Chart) error {
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return at("chart", fmt.Errorf("%s charts are not installable", kind))
	}
	var missing []string
	for _, wanted := range loaded.Metadata.Dependencies {
		found := false
		for _, present := range loaded.Dependencies() {
			found = found || present.Name() == wanted.Name
		}
		if !found {
			missing = append(missing, wanted.Name)
		}
	}
	if len(missing) > 0 {
		return at("dependencies", fmt.Errorf("found in Chart.yaml, but missing in charts/ directory: %s", strings.Join(missing, ", ")))
	}
	return nil
}

func inspect(data []byte) (any, error) {
	loaded, err := loadChart(data, false)
	if err != nil {
		return nil, err
	}
	crds, err := crdDocuments(loaded)
	if err != nil {
		return nil, err
	}
	about := description{Metadata: loaded.Metadata, Values: loaded.Values, Schema: string(loaded.Schema), Crds: crds, Files: []string{}, Dependencies: []string{}}
	for _, file := range loaded.Raw {
		about.Files = append(about.Files, file.Name)
		if file.Name == "values.yaml" {
			about.ValuesText = string(file.Data)
		}
	}
	for _, dependency := range loaded.Dependencies() {
		about.Dependencies = append(about.Dependencies, dependency.Name())
	}
	return about, nil
}

func capabilities(given *capabilitiesRequest) (*common.Capabilities, error) {
	caps := common.DefaultCapabilities.Copy()
	if given == nil {
		return caps, nil
	}
	if given.KubeVersion != "" {
		version, err := common.ParseKubeVersion(given.KubeVersion)
		if err != nil {
			return nil, at("capabilities", fmt.Errorf("invalid kube version '%s': %w", given.KubeVersion, err))
		}
		caps.KubeVersion = *version
	}
	if given.OnlyThese {
		if len(given.APIVersions) == 0 {
			return nil, at("capabilities", errors.New("a cluster without a single API version"))
		}
		caps.APIVersions = given.APIVersions
	} else {
		caps.APIVersions = append(append(common.VersionSet{}, caps.APIVersions...), given.APIVersions...)
	}
	return caps, nil
}
