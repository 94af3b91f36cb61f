// Writes YAML as talhelper does with whatever it does not understand: read as nodes, written again. One JSON line {"text", "plain"} in,
// one line {"text"} or {"error"} out. With "plain" the comments go.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"

	"gopkg.in/yaml.v3"
)

func withoutComments(node *yaml.Node) {
	node.HeadComment, node.LineComment, node.FootComment = "", "", ""

	for _, child := range node.Content {
		withoutComments(child)
	}
}

func formatted(text string, plain bool) (string, error) {
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))

	var out bytes.Buffer

	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)

	for {
		var node yaml.Node

		if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}

		if plain {
			withoutComments(&node)
		}

		if err := encoder.Encode(&node); err != nil {
			return "", err
		}
	}

	err := encoder.Close()

	return out.String(), err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<28)

	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)

	for lines.Scan() {
		var question struct {
			Text  string `json:"text"`
			Plain bool   `json:"plain"`
		}

		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			panic(err)
		}

		text, err := formatted(question.Text, question.Plain)
		if err != nil {
			answers.Encode(map[string]string{"error": err.Error()}) //nolint:errcheck
		} else {
			answers.Encode(map[string]string{"text": text}) //nolint:errcheck
		}
	}
}
