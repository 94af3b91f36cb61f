// Command records installs charts with Helm's own SDK, against nothing, and prints what it writes into its secrets.
//
//	go run . CHART.tgz VALUES.json NAME NAMESPACE
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	kubefake "helm.sh/helm/v4/pkg/kube/fake"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func main() {
	archive, values, name, namespace := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	if err := run(archive, values, name, namespace); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(archive, valuesPath, name, namespace string) error {
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
	action.Timestamper = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	secrets := fake.NewClientset().CoreV1().Secrets(namespace)
	config := action.NewConfiguration()
	config.Releases = storage.Init(driver.NewSecrets(secrets))
	config.KubeClient = &kubefake.PrintingKubeClient{Out: io.Discard}
	config.Capabilities = common.DefaultCapabilities.Copy()
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace = name, namespace
	install.ServerSideApply = true
	install.SkipCRDs = true
	if _, err := install.Run(loaded, values); err != nil {
		return err
	}
	list, err := secrets.List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	secret := list.Items[0]
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"name": secret.Name, "type": secret.Type, "labels": secret.Labels, "release": string(secret.Data["release"]),
	})
}
