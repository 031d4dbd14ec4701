// Package tidy holds the repository to its own rules, in its test: sizes, names, comments and who may import whom. It
// has no code for the product to use.
package tidy
