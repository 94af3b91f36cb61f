// Command takeover upgrades a release with Helm's own SDK, with the options that Flux's helm-controller sets, on a real API server.
//
//	go run . KUBECONFIG CHART.tgz VALUES.json NAME NAMESPACE ORIGIN_NAMESPACE/ORIGIN_NAME
//
// Source of the options: helm-controller v1.6.3 internal/action/{upgrade,config}.go, internal/postrender.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// originLabels is what helm-controller's post-renderer adds to every object.
type originLabels struct{ namespace, name string }

func (o originLabels) Run(rendered *bytes.Buffer) (*bytes.Buffer, error) {
	nodes, err := kio.ParseAll(rendered.String())
	if err != nil {
		return nil, err
	}
	for _, node := range nodes {
		for label, value := range map[string]string{"helm.toolkit.fluxcd.io/name": o.name, "helm.toolkit.fluxcd.io/namespace": o.namespace} {
			if err := node.PipeE(kyaml.SetLabel(label, value)); err != nil {
				return nil, err
			}
		}
	}
	text, err := kio.StringAll(nodes)
	return bytes.NewBufferString(text), err
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(kubeconfig, archive, valuesPath, name, namespace, origin string) error {
	loaded, err := loader.LoadFile(archive)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(valuesPath)
	if err != nil {
		return err
	}
	values := map[string]any{}
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	kube.ManagedFieldsManager = "helm-controller"
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Namespace = &kubeconfig, &namespace
	rest, err := flags.ToRESTConfig()
	if err != nil {
		return err
	}
	clients, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	config := action.NewConfiguration()
	config.RESTClientGetter = flags
	config.KubeClient = kube.New(flags)
	config.Releases = storage.Init(driver.NewSecrets(clients.CoreV1().Secrets(namespace)))

	last, err := config.Releases.Last(name)
	if err != nil {
		return err
	}
	before := last.(*release.Release)
	upgrade := action.NewUpgrade(config)
	upgrade.Namespace = namespace
	upgrade.ServerSideApply = fmt.Sprint(before.ApplyMethod == "ssa")
	upgrade.ForceConflicts = before.ApplyMethod == "ssa"
	upgrade.ResetValues = true
	upgrade.MaxHistory = 5
	upgrade.Timeout = 2 * time.Minute
	upgrade.TakeOwnership = true
	upgrade.WaitStrategy = kube.StatusWatcherStrategy
	upgrade.WaitForJobs = true
	upgrade.Devel = true
	upgrade.PostRenderStrategy = action.PostRenderStrategyCombined
	originNamespace, originName, _ := strings.Cut(origin, "/")
	upgrade.PostRenderer = originLabels{originNamespace, originName}
	upgraded, err := upgrade.RunWithContext(context.Background(), name, loaded, values)
	if err != nil {
		return err
	}
	after := upgraded.(*release.Release)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"before": map[string]any{"revision": before.Version, "status": before.Info.Status, "applyMethod": before.ApplyMethod, "chart": before.Chart.Metadata.Version},
		"after":  map[string]any{"revision": after.Version, "status": after.Info.Status, "applyMethod": after.ApplyMethod, "description": after.Info.Description},
	})
}
