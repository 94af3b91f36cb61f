// Applies patches with Talos' own library: one JSON line {"base": text, "patches": [text]} in, one line {"text"} or {"error"} out.
//
// Build it once for each version: go.mod names the newest, -modfile another one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
)

type request struct {
	Base    string   `json:"base"`
	Patches []string `json:"patches"`
}

func answer(r request) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()

	var patches []configpatcher.Patch

	for _, one := range r.Patches {
		patch, err := configpatcher.LoadPatch([]byte(one))
		if err != nil {
			return "", err
		}

		patches = append(patches, patch)
	}

	out, err := configpatcher.Apply(configpatcher.WithBytes([]byte(r.Base)), patches)
	if err != nil {
		return "", err
	}

	bytes, err := out.Bytes()

	return string(bytes), err
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)

	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()

	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			panic(err)
		}

		reply := map[string]string{}
		if text, err := answer(r); err != nil {
			reply["error"] = err.Error()
		} else {
			reply["text"] = text
		}

		line, _ := json.Marshal(reply)
		out.Write(line)
		out.WriteByte('\n')
		out.Flush()
	}
}
