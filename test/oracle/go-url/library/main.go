// Reads URLs with net/url: one JSON text a line in, one line with their parts or {"error"} out.
package main

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)

	for lines.Scan() {
		var text string

		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			panic(err)
		}

		parsed, err := url.Parse(text)
		if err != nil {
			answers.Encode(map[string]string{"error": err.Error()}) //nolint:errcheck

			continue
		}

		answers.Encode(map[string]string{ //nolint:errcheck
			"scheme":   parsed.Scheme,
			"host":     parsed.Host,
			"hostname": parsed.Hostname(),
			"port":     parsed.Port(),
			"path":     parsed.Path,
		})
	}
}
