// Command envsubst puts variables into texts with Flux's own package: texts as a JSON list on stdin, results as a JSON list on stdout.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/envsubst"
)

type request struct {
	Variables map[string]string `json:"variables"`
	Texts     []string          `json:"texts"`
}

type result struct {
	Text  string `json:"text"`
	Out   string `json:"out"`
	Error string `json:"error,omitempty"`
}

func evaluate(text string, variables map[string]string) (answer result) {
	answer.Text = text
	defer func() {
		if recovered := recover(); recovered != nil {
			answer = result{Text: text, Error: fmt.Sprint(recovered)}
		}
	}()
	out, err := envsubst.Eval(text, func(name string) (string, bool) { return variables[name], true })
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.Out = out
	return answer
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	results := []result{}
	for _, text := range asked.Texts {
		results = append(results, evaluate(text, asked.Variables))
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		panic(err)
	}
}
