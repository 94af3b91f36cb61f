// Command helm is Helm's own chart engine as a WebAssembly module: text in, text out, no file system, no network.
//
// The host writes one request into memory that `reserve` hands out, calls `handle`, and reads the answer of the returned
// length at `answer`. A request is a 4-byte little-endian length, that many bytes of JSON, then the raw chart archive.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"runtime/debug"
	"strings"
	"unsafe"
)

var (
	input    []byte
	output   []byte
	warnings bytes.Buffer
)

type request struct {
	Op         string           `json:"op"`
	Render     *renderRequest   `json:"render"`
	Record     *recordRequest   `json:"record"`
	Data       string           `json:"data"`
	GoTemplate *templateRequest `json:"goTemplate"`
	Status     *statusRequest   `json:"status"`
	Values     *valuesRequest   `json:"values"`
	Text       string           `json:"text"`
	// For `to-yaml`.
	Documents []json.RawMessage `json:"documents"`
}

type failure struct {
	Stage   string `json:"stage"`
	Message string `json:"message"`
}

type response struct {
	Failure  *failure `json:"failure,omitempty"`
	Result   any      `json:"result,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// stageError says which part of the work an error of Helm's belongs to.
type stageError struct {
	stage string
	err   error
}

func (e stageError) Error() string { return e.err.Error() }

func at(stage string, err error) error {
	if err == nil {
		return nil
	}
	return stageError{stage, err}
}

//go:wasmexport reserve
func reserve(size uint32) unsafe.Pointer {
	input = make([]byte, size)
	return unsafe.Pointer(unsafe.SliceData(input))
}

//go:wasmexport handle
func handle() uint32 {
	warnings.Reset()
	result, err := dispatch(input)
	answered := response{Result: result}
	if err != nil {
		answered.Failure = &failure{Stage: "engine", Message: err.Error()}
		if staged, ok := err.(stageError); ok {
			answered.Failure.Stage = staged.stage
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(warnings.String()), "\n") {
		if line != "" {
			answered.Warnings = append(answered.Warnings, line)
		}
	}
	encoded := bytes.Buffer{}
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answered); err != nil {
		encoded.Reset()
		fmt.Fprintf(&encoded, `{"failure":{"stage":"engine","message":%q}}`, err.Error())
	}
	output = encoded.Bytes()
	input = nil
	return uint32(len(output))
}

//go:wasmexport answer
func answer() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(output)) }

func dispatch(frame []byte) (result any, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			result, err = nil, fmt.Errorf("%v", recovered)
		}
	}()
	if len(frame) < 4 {
		return nil, fmt.Errorf("request of %d bytes is too short", len(frame))
	}
	size := binary.LittleEndian.Uint32(frame)
	if uint64(size) > uint64(len(frame)-4) {
		return nil, fmt.Errorf("request of %d bytes announces %d", len(frame), size)
	}
	var req request
	if err := json.Unmarshal(frame[4:4+size], &req); err != nil {
		return nil, err
	}
	archive := frame[4+size:]
	switch {
	case req.Op == "inspect":
		return inspect(archive)
	case req.Op == "render" && req.Render != nil:
		return renderChart(archive, req.Render)
	case req.Op == "encode-record" && req.Record != nil:
		return encodeRecord(archive, req.Record)
	case req.Op == "restatus-record" && req.Status != nil:
		return restatus(req.Status)
	case req.Op == "decode-record":
		return decodeRecord(req.Data)
	case req.Op == "go-template" && req.GoTemplate != nil:
		return renderGoTemplate(req.GoTemplate)
	case req.Op == "values" && req.Values != nil:
		return mergeValues(req.Values)
	case req.Op == "yaml":
		return parseDocuments(req.Text)
	case req.Op == "to-yaml":
		return writeDocuments(req.Documents)
	case req.Op == "normal-yaml":
		return normalYAML(req.Text)
	}
	return nil, fmt.Errorf("unknown operation %q", req.Op)
}

// collectAboveBytes is more than a chart of Cilium's size needs: collecting garbage costs a fifth of a render, and the instance is thrown
// away when it has grown.
const collectAboveBytes = 128 << 20

func init() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(collectAboveBytes)
	log.SetFlags(0)
	log.SetOutput(&warnings)
}

func main() {}
