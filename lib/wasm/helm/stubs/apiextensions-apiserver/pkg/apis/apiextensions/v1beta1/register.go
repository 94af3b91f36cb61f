// Package v1beta1 registers nothing: the stub of the scheme already lists this version.
package v1beta1

func AddToScheme(any) error { return nil }
