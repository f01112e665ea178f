// Package docs tests what is written about the library: that the Go code in the Markdown files and in the package comments
// compiles, that every exported identifier is explained, and that every link leads somewhere. It has nothing to import.
package docs
