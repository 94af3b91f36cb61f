// Compiles CEL expressions with Talos' own environments: one JSON line {"environment", "type", "text"} in, one line {"error": …} out,
// empty when it is accepted.
//
// Build it once for each version: go.mod names the newest, -modfile another one.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	celgo "github.com/google/cel-go/cel"
	"github.com/siderolabs/talos/pkg/machinery/cel"
	"github.com/siderolabs/talos/pkg/machinery/cel/celenv"
)

func main() {
	environments := map[string]func() *celgo.Env{
		"disk":    celenv.DiskLocator,
		"volume":  celenv.VolumeLocator,
		"member":  member,
		"link":    celenv.LinkLocator,
		"trigger": celenv.OOMTrigger,
		"scoring": celenv.OOMCgroupScoring,
	}

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<28)

	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)

	for lines.Scan() {
		var question struct {
			Environment string `json:"environment"`
			Type        string `json:"type"`
			Text        string `json:"text"`
		}

		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			panic(err)
		}

		env := environments[question.Environment]()
		parse := cel.ParseBooleanExpression

		if question.Type == "double" {
			parse = cel.ParseDoubleExpression
		}

		said := ""
		if _, err := parse(question.Text, env); err != nil {
			said = err.Error()
		}

		answers.Encode(map[string]string{"error": said}) //nolint:errcheck
	}
}
