package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// exec runs nothing. One form is understood all the same, because it only reads: `yq` with the path of a field, perhaps of the objects of
// one kind, and one file.
func (r *fileReader) exec(command string, args []any, _ ...string) (string, error) {
	written := command
	for _, arg := range args {
		written += " " + fmt.Sprint(arg)
	}
	query, file := yqQuery{}, ""
	if command == "yq" {
		query, file = parseYq(args)
	}
	if file != "" {
		text, err := r.readFile(file)
		if err != nil {
			return "", err
		}
		return query.run(text)
	}
	if r.deferred {
		return notRun + hex.EncodeToString([]byte(written)), nil
	}
	return "", fmt.Errorf("%s: commands are not run", written)
}

// notRun begins the word that stands for a command; the host knows it too.
const notRun = "command-not-run-"

// yqQuery is `select(.FIELD == "TEXT")`, a path, and `// {}`, each of which may be absent.
type yqQuery struct {
	where, equals string
	path          []string
	otherwise     string
	json          bool
}

var (
	yqSelect    = regexp.MustCompile(`^select\(\s*\.([\w.-]+)\s*==\s*["']([^"']*)["']\s*\)\s*\|?\s*`)
	yqOtherwise = regexp.MustCompile(`\s*//\s*(\{\}|\[\]|""|'')$`)
	yqPath      = regexp.MustCompile(`^\.?(?:[\w-]+|\["[^"]+"\]|"[^"]+"|\[\d+\]|\.)*$`)
	yqStep      = regexp.MustCompile(`\["([^"]+)"\]|"([^"]+)"|\[(\d+)\]|([\w-]+)`)
)

// parseYq gives no file when the call is one that is not understood.
func parseYq(args []any) (query yqQuery, file string) {
	var words []string
	for _, arg := range args {
		word, ok := arg.(string)
		if !ok {
			return query, ""
		}
		switch word {
		case "-r", "--raw-output", "-e", "--exit-status", "e", "eval", "ea", "eval-all", "-M", "--no-colors", "-o=yaml", "-I=0", "-P":
		case "-o=json", "-oj", "--output-format=json":
			query.json = true
		default:
			words = append(words, strings.TrimPrefix(word, "--file="))
		}
	}
	if len(words) != 2 || strings.HasPrefix(words[1], "-") {
		return query, ""
	}
	expression := strings.TrimSpace(words[0])
	if found := yqSelect.FindStringSubmatch(expression); found != nil {
		query.where, query.equals = found[1], found[2]
		expression = expression[len(found[0]):]
	}
	if found := yqOtherwise.FindStringSubmatch(expression); found != nil {
		query.otherwise = found[1]
		expression = strings.TrimSuffix(expression, found[0])
	}
	if !yqPath.MatchString(expression) {
		return query, ""
	}
	for _, step := range yqStep.FindAllStringSubmatch(expression, -1) {
		query.path = append(query.path, step[1]+step[2]+step[3]+step[4])
	}
	return query, words[1]
}

// run prints what the query finds in each document, written as it stands there: whoever reads it next decides what `yes` and `0400` mean.
func (q yqQuery) run(text string) (string, error) {
	var found []string
	documents := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document yaml.Node
		if err := documents.Decode(&document); err != nil {
			if errors.Is(err, io.EOF) {
				return strings.Join(found, "---\n"), nil
			}
			return "", err
		}
		if q.where != "" {
			if kind := nodeAt(&document, strings.Split(q.where, ".")); kind == nil || kind.Value != q.equals {
				continue
			}
		}
		printed, err := q.print(nodeAt(&document, q.path))
		if err != nil {
			return "", err
		}
		found = append(found, printed)
	}
}

func (q yqQuery) print(node *yaml.Node) (string, error) {
	isNull := node == nil || node.Kind == 0 || node.Kind == yaml.ScalarNode && node.Tag == "!!null"
	switch {
	case isNull && q.otherwise != "":
		return strings.Trim(q.otherwise, `"'`) + "\n", nil
	case isNull:
		return "null\n", nil
	case q.json:
		var value any
		if err := node.Decode(&value); err != nil {
			return "", err
		}
		encoded, err := json.Marshal(withTextKeys(value))
		return string(encoded) + "\n", err
	case node.Kind == yaml.ScalarNode:
		return node.Value + "\n", nil
	}
	return toYAML(node)
}

func nodeAt(node *yaml.Node, path []string) *yaml.Node {
	if node.Kind == yaml.DocumentNode {
		node = node.Content[0]
	}
	for _, step := range path {
		for node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		var next *yaml.Node
		switch node.Kind {
		case yaml.MappingNode:
			for index := 0; index+1 < len(node.Content); index += 2 {
				if node.Content[index].Value == step {
					next = node.Content[index+1]
				}
			}
		case yaml.SequenceNode:
			if index, err := strconv.Atoi(step); err == nil && index < len(node.Content) {
				next = node.Content[index]
			}
		}
		if next == nil {
			return nil
		}
		node = next
	}
	return node
}
