package main

import (
	"fmt"
	"reflect"
	"text/template"
	"unsafe"

	"github.com/Masterminds/sprig/v3"
)

// rsaKey has the host make a key of so many bits, and returns the length of its PEM text (PKCS#1, as sprig writes keys). Zero: there
// is no host, or the text is longer than the room for it.
//
//go:wasmimport host rsa_key
func rsaKey(bits uint32, at unsafe.Pointer, room uint32) uint32

const (
	// What sprig's functions for certificates ask for, and its genPrivateKey.
	certificateKeyBits = 2048
	plainKeyBits       = 4096
	longestKeyText     = 8192
)

func hostKey(bits uint32) (string, bool) {
	text := make([]byte, longestKeyText)
	length := rsaKey(bits, unsafe.Pointer(unsafe.SliceData(text)), uint32(len(text)))
	return string(text[:length]), length > 0
}

// keyFunctions are sprig's own functions that make RSA keys, with keys of the host's: finding primes takes a compiled module most of a
// second each. The certificates are still made here, by sprig's functions of the same names that are given a key.
func keyFunctions() template.FuncMap {
	known := sprig.GenericFuncMap()
	functions := template.FuncMap{"genPrivateKey": func(kind string) string {
		if kind == "" || kind == "rsa" {
			if key, ok := hostKey(plainKeyBits); ok {
				return key
			}
		}
		return known["genPrivateKey"].(func(string) string)(kind)
	}}
	for _, name := range []string{"genCA", "genSelfSignedCert", "genSignedCert"} {
		withoutKey, withKey := reflect.ValueOf(known[name]), reflect.ValueOf(known[name+"WithKey"])
		if withKey.Type().NumIn() != withoutKey.Type().NumIn()+1 {
			panic(fmt.Sprintf("sprig's %s and %sWithKey differ in more than the key", name, name))
		}
		// The same type as sprig's function, so that text/template says the same about wrong arguments.
		functions[name] = reflect.MakeFunc(withoutKey.Type(), func(arguments []reflect.Value) []reflect.Value {
			key, ok := hostKey(certificateKeyBits)
			if !ok {
				return withoutKey.Call(arguments)
			}
			return withKey.Call(append(arguments, reflect.ValueOf(key)))
		}).Interface()
	}
	return functions
}
