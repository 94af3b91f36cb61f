// Prints the fields of the messages that selectors may ask, with their types as CEL has them, as JSON.
//
// Build it once for each version: go.mod names the newest, -modfile another one.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/api/resource/definitions/block"
	"github.com/siderolabs/talos/pkg/machinery/api/resource/definitions/network"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func main() {
	out := map[string]map[string]string{}
	var walk func(d protoreflect.MessageDescriptor)
	typ := func(f protoreflect.FieldDescriptor) string {
		switch f.Kind() {
		case protoreflect.BoolKind:
			return "bool"
		case protoreflect.StringKind:
			return "string"
		case protoreflect.BytesKind:
			return "bytes"
		case protoreflect.EnumKind, protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Sint32Kind, protoreflect.Sint64Kind, protoreflect.Sfixed32Kind, protoreflect.Sfixed64Kind:
			return "int"
		case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
			return "uint"
		case protoreflect.FloatKind, protoreflect.DoubleKind:
			return "double"
		case protoreflect.MessageKind:
			n := string(f.Message().FullName())
			switch n {
			case "google.protobuf.Duration":
				return "duration"
			case "google.protobuf.Timestamp":
				return "timestamp"
			}
			walk(f.Message())
			return n
		}
		panic(f.Kind())
	}
	walk = func(d protoreflect.MessageDescriptor) {
		n := string(d.FullName())
		if out[n] != nil {
			return
		}
		out[n] = map[string]string{}
		for i := 0; i < d.Fields().Len(); i++ {
			f := d.Fields().Get(i)
			t := ""
			if f.IsMap() {
				t = "map " + typ(f.MapKey()) + " " + typ(f.MapValue())
			} else {
				t = typ(f)
				if f.IsList() {
					t = "list " + t
				}
			}
			out[n][string(f.Name())] = t
		}
	}
	walk((&block.DiskSpec{}).ProtoReflect().Descriptor())
	walk((&block.DiscoveredVolumeSpec{}).ProtoReflect().Descriptor())
	walk((&network.LinkStatusSpec{}).ProtoReflect().Descriptor())
	b, _ := json.MarshalIndent(out, "", " ")
	fmt.Fprintln(os.Stdout, string(b))
}
