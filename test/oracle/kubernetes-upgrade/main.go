// Asks upstream's own packages, over all pairs of versions, what goes together, and prints the tables of removed items.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"

	"github.com/siderolabs/go-kubernetes/kubernetes/upgrade"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
)

type record struct {
	Talos      []string            `json:"talos"`
	Kubernetes []string            `json:"kubernetes"`
	Supported  map[string]string   `json:"supported"`
	Upgradable map[string]string   `json:"upgradable"`
	Paths      []string            `json:"paths"`
	Removed    map[string]removals `json:"removed"`
}

type removals struct {
	FeatureGates      []string `json:"featureGates,omitempty"`
	APIResources      []string `json:"apiResources,omitempty"`
	AdmissionPlugins  []string `json:"admissionPlugins,omitempty"`
	APIServer         []string `json:"apiServerFlags,omitempty"`
	ControllerManager []string `json:"controllerManagerFlags,omitempty"`
	Scheduler         []string `json:"schedulerFlags,omitempty"`
	Kubelet           []string `json:"kubeletFlags,omitempty"`
}

func talosVersions() []string {
	versions := []string{}
	for minor := 1; minor <= 16; minor++ {
		for _, patch := range []string{"0-alpha.1", "0-beta.0", "0", "1", "4", "12", "99"} {
			versions = append(versions, fmt.Sprintf("v1.%d.%s", minor, patch))
		}
	}
	return versions
}

func kubernetesVersions() []string {
	versions := []string{}
	for minor := 18; minor <= 40; minor++ {
		for _, patch := range []string{"0-rc.0", "0", "7", "98", "99", "100"} {
			versions = append(versions, fmt.Sprintf("v1.%d.%s", minor, patch))
		}
	}
	return versions
}

func talos(version string) *compatibility.TalosVersion {
	parsed, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: version})
	if err != nil {
		panic(err)
	}
	return parsed
}

func bit(err error) byte {
	if err == nil {
		return '1'
	}
	return '0'
}

// fields of a struct that nobody exports, read as what they are
func texts(value reflect.Value, name string) []string {
	field := value.FieldByName(name)
	result := []string{}
	for i := 0; i < field.Len(); i++ {
		result = append(result, field.Index(i).String())
	}
	return result
}

func main() {
	out := record{Talos: talosVersions(), Kubernetes: kubernetesVersions(), Supported: map[string]string{}, Upgradable: map[string]string{}, Removed: map[string]removals{}}
	for _, host := range out.Talos {
		row := []byte{}
		for _, version := range out.Kubernetes {
			parsed, err := compatibility.ParseKubernetesVersion(version)
			if err != nil {
				panic(err)
			}
			row = append(row, bit(parsed.SupportedWith(talos(host))))
		}
		out.Supported[host] = string(row)
		row = []byte{}
		for _, from := range out.Talos {
			row = append(row, bit(talos(host).UpgradeableFrom(talos(from))))
		}
		out.Upgradable[host] = string(row)
	}
	for from := 17; from <= 40; from++ {
		for to := 17; to <= 40; to++ {
			path, err := upgrade.NewPath(fmt.Sprintf("1.%d.3", from), fmt.Sprintf("1.%d.1", to))
			if err != nil {
				panic(err)
			}
			if path.IsSupported() {
				out.Paths = append(out.Paths, path.String())
			}
		}
	}
	path, _ := upgrade.NewPath("1.24.0", "1.25.0")
	checks, err := upgrade.NewChecks(path, nil, nil, nil, nil, func(string, ...any) {})
	if err != nil {
		panic(err)
	}
	table := reflect.ValueOf(checks).Elem().FieldByName("upgradeVersionCheck")
	keys := table.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	for _, key := range keys {
		value := table.MapIndex(key)
		server := value.FieldByName("kubeAPIServerChecks")
		out.Removed[key.String()] = removals{
			FeatureGates:      texts(value, "removedFeatureGates"),
			APIResources:      texts(server, "removedAPIResources"),
			AdmissionPlugins:  texts(server, "removedAdmissionPlugins"),
			APIServer:         texts(server.FieldByName("componentCheck"), "removedFlags"),
			ControllerManager: texts(value.FieldByName("kubeControllerManagerChecks"), "removedFlags"),
			Scheduler:         texts(value.FieldByName("kubeSchedulerChecks"), "removedFlags"),
			Kubelet:           texts(value.FieldByName("kubeletChecks"), "removedFlags"),
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}
