// Judges machine configurations with Talos' own library, as `talosctl validate --mode metal` does: one JSON line {"text": …} in, one
// line {"error": …} out, empty when it is accepted.
//
// Build it once for each version: go.mod names the newest, -modfile another one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

// validate calls what that version's talosctl calls.
func validate(cfg any) error {
	var err error

	switch c := cfg.(type) {
	case interface {
		ValidateAsClient(validation.RuntimeMode, ...validation.Option) ([]string, error)
	}:
		_, err = c.ValidateAsClient(metal{}, validation.WithLocal())
	case interface {
		Validate(validation.RuntimeMode, ...validation.Option) ([]string, error)
	}:
		_, err = c.Validate(metal{}, validation.WithLocal())
	default:
		panic("no way to validate")
	}

	return err
}

func verdict(text string) (said string) {
	defer func() {
		if p := recover(); p != nil {
			said = fmt.Sprintf("panic: %v", p)
		}
	}()

	cfg, err := configloader.NewFromBytes([]byte(text))
	if err != nil {
		return err.Error()
	}

	if err = validate(cfg); err != nil {
		return err.Error()
	}

	return ""
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)

	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()

	for in.Scan() {
		var request struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(in.Bytes(), &request); err != nil {
			panic(err)
		}

		line, _ := json.Marshal(map[string]string{"error": verdict(request.Text)})
		out.Write(line)
		out.WriteByte('\n')
		out.Flush()
	}
}
