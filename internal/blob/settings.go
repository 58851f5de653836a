package blob

// Settings are the operator's settings of this package.
type Settings struct {
	Blobs string `env:"COFFER_BLOBS" secret:"url" placeholder:"DATA/blobs" group:"Where it keeps things" help:"Folder, or s3://KEY:SECRET@HOST/BUCKET?region=… for file contents."`
}
