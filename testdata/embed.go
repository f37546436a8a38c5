// Package testdata carries the sample patients, so that the demo needs nothing but the program.
package testdata

import (
	"embed"
	"io/fs"
)

//go:embed fhir-synthea/*.json
var synthea embed.FS

// Patients is a folder of FHIR R4 bundles, a synthetic patient each (fhir-synthea/SOURCE.md).
func Patients() fs.FS {
	files, err := fs.Sub(synthea, "fhir-synthea")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}
