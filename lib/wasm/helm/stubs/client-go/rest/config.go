// Package rest has the one type that Helm's engine names.
package rest

// Config would tell how to reach an API server. Nothing is reached from in here.
type Config struct{}
