// Package kubernetes is imported by Helm only so that this module's version appears in the build information.
package kubernetes
