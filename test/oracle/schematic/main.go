// Reads schematics as a JSON list of texts and prints the factory's ids or errors as a JSON list.
package main

import (
	"encoding/json"
	"os"

	"github.com/siderolabs/image-factory/pkg/schematic"
)

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	answers := make([]map[string]string, len(texts))
	for i, text := range texts {
		cfg, err := schematic.Unmarshal([]byte(text))
		if err != nil {
			answers[i] = map[string]string{"error": err.Error()}
			continue
		}
		id, err := cfg.ID()
		if err != nil {
			answers[i] = map[string]string{"error": err.Error()}
			continue
		}
		canonical, _ := cfg.Marshal()
		answers[i] = map[string]string{"id": id, "text": string(canonical)}
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	_ = enc.Encode(answers)
}
