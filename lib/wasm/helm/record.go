package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
)

type recordRequest struct {
	Name      string          `json:"name"`
	Namespace string          `json:"namespace"`
	Version   int             `json:"version"`
	Info      *release.Info   `json:"info"`
	Config    map[string]any  `json:"config"`
	Manifest  string          `json:"manifest"`
	Hooks     []*release.Hook `json:"hooks"`
	Folder    bool            `json:"folder"`

	ValuesFiles *valuesFiles `json:"valuesFiles"`
}

type statusRequest struct {
	Data        string `json:"data"`
	Status      string `json:"status"`
	Description string `json:"description"`
}

type encodedRecord struct {
	Data string `json:"data"`
}

type decodedRecord struct {
	Name        string          `json:"name"`
	Namespace   string          `json:"namespace"`
	Version     int             `json:"version"`
	Info        *release.Info   `json:"info"`
	Config      map[string]any  `json:"config"`
	Manifest    string          `json:"manifest"`
	Hooks       []*release.Hook `json:"hooks"`
	Chart       *chart.Metadata `json:"chart"`
	ApplyMethod string          `json:"applyMethod"`
	Objects     []document      `json:"objects"`
}

// encodeRecord writes what `data.release` of Helm's secret holds. Helm's own function of this name is not exported;
// the release types and their JSON are Helm's, the wrapping is gzip -9 in base64, as in its pkg/storage/driver/util.go.
func encodeRecord(data []byte, req *recordRequest) (any, error) {
	loaded, err := loadChart(data, req.Folder)
	if err != nil {
		return nil, err
	}
	if err := req.ValuesFiles.use(loaded); err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependencies(loaded, req.Config); err != nil {
		return nil, at("dependencies", err)
	}
	return pack(&release.Release{
		Name: req.Name, Namespace: req.Namespace, Version: req.Version, Info: req.Info, Chart: loaded, Config: req.Config,
		Manifest: req.Manifest, Hooks: req.Hooks, ApplyMethod: string(release.ApplyMethodServerSideApply),
	})
}

func pack(of *release.Release) (any, error) {
	encoded, err := json.Marshal(of)
	if err != nil {
		return nil, at("record", err)
	}
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, at("record", err)
	}
	if _, err := writer.Write(encoded); err != nil {
		return nil, at("record", err)
	}
	if err := writer.Close(); err != nil {
		return nil, at("record", err)
	}
	return encodedRecord{base64.StdEncoding.EncodeToString(packed.Bytes())}, nil
}

// restatus writes a record again with another status; everything else in it stays.
func restatus(req *statusRequest) (any, error) {
	decoded, err := unpack(req.Data)
	if err != nil {
		return nil, err
	}
	if decoded.Info == nil {
		decoded.Info = &release.Info{}
	}
	decoded.SetStatus(common.Status(req.Status), req.Description)
	return pack(decoded)
}

func unpack(text string) (*release.Release, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, at("record", err)
	}
	if bytes.HasPrefix(packed, []byte{0x1f, 0x8b, 0x08}) {
		reader, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, at("record", err)
		}
		if packed, err = io.ReadAll(io.LimitReader(reader, 64<<20)); err != nil {
			return nil, at("record", err)
		}
	}
	var decoded release.Release
	if err := json.Unmarshal(packed, &decoded); err != nil {
		return nil, at("record", err)
	}
	return &decoded, nil
}

func decodeRecord(text string) (any, error) {
	decoded, err := unpack(text)
	if err != nil {
		return nil, err
	}
	result := decodedRecord{
		Name: decoded.Name, Namespace: decoded.Namespace, Version: decoded.Version, Info: decoded.Info, Config: decoded.Config,
		Manifest: decoded.Manifest, Hooks: decoded.Hooks, ApplyMethod: decoded.ApplyMethod, Objects: []document{},
	}
	if decoded.Chart != nil {
		result.Chart = decoded.Chart.Metadata
	}
	for _, part := range splitDocuments(decoded.Manifest) {
		objects, err := objectsIn("manifest", part)
		if err != nil {
			return nil, err
		}
		result.Objects = append(result.Objects, objects...)
	}
	return result, nil
}
