package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"ward"
)

// Objects keeps sealed things too large for a row. Keys are like org/lock/upload/1: ids and numbers joined by "/".
// Nothing is ever whole in memory.
type Objects interface {
	// Put stores size bytes of r, durably when it returns nil. Storing a key again replaces it.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Open reads length bytes from offset; a negative length reads to the end.
	Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)
	// Delete removes every key that is prefix or begins with prefix + "/".
	Delete(ctx context.Context, prefix string) error
	// List calls each for every key and its size, in order of keys.
	List(ctx context.Context, each func(key string, size int64) error) error
}

func openObjects(config Config) (Objects, error) {
	if config.Objects == "" {
		folder := Folder(filepath.Join(config.Dir, "objects"))
		if err := os.MkdirAll(string(folder), 0o700); err != nil {
			return nil, fmt.Errorf("open objects: %w", err)
		}
		return folder, nil
	}
	return openBucket(config)
}

// checkKey refuses what is not ids and numbers, so that no key can leave its folder.
func checkKey(key string) error {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return fmt.Errorf("%.80q is not the key of an object", key)
		}
	}
	return nil
}

// Folder keeps each object in a file.
type Folder string

func (f Folder) path(key string) string { return filepath.Join(string(f), filepath.FromSlash(key)) }

// Put writes beside the object, flushes, and moves it into place.
func (f Folder) Put(_ context.Context, key string, r io.Reader, size int64) (err error) {
	if err := checkKey(key); err != nil {
		return err
	}
	path := f.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	n, err := io.Copy(file, r)
	if err != nil {
		return err
	}
	if n != size {
		return fmt.Errorf("store object: got %d bytes of %d", n, size)
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return f.syncUpTo(filepath.Dir(path))
}

// syncUpTo makes the names of a file and of the folders above it durable.
func (f Folder) syncUpTo(dir string) error {
	for {
		opened, err := os.Open(dir)
		if err != nil {
			return err
		}
		err = errors.Join(opened.Sync(), opened.Close())
		if err != nil || dir == string(f) || len(dir) <= len(string(f)) {
			return err
		}
		dir = filepath.Dir(dir)
	}
}

// Open reads a range of the file.
func (f Folder) Open(_ context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(key))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ward.Errorf(ward.Missing, "a stored object is missing")
	}
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		file.Close()
		return nil, err
	}
	if length < 0 {
		return file, nil
	}
	return limited{io.LimitReader(file, length), file}, nil
}

type limited struct {
	io.Reader
	io.Closer
}

// Delete removes the file or folder.
func (f Folder) Delete(_ context.Context, prefix string) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	return os.RemoveAll(f.path(prefix))
}

// List walks the folder.
func (f Folder) List(_ context.Context, each func(string, int64) error) error {
	return filepath.WalkDir(string(f), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		key, err := filepath.Rel(string(f), path)
		if err != nil {
			return err
		}
		key = filepath.ToSlash(key)
		if checkKey(key) != nil {
			return nil // a write that a power cut left behind
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return each(key, info.Size())
	})
}

// bucket keeps objects in S3 or what speaks its protocol.
type bucket struct {
	client       *minio.Client
	name, prefix string
}

func openBucket(config Config) (*bucket, error) {
	const hint = "(hint: s3://bucket/prefix?endpoint=host&region=name)"
	u, err := url.Parse(config.Objects)
	if err != nil || u.Scheme != "s3" || u.Host == "" {
		return nil, fmt.Errorf("open objects: not the address of a bucket %s", hint)
	}
	endpoint := u.Query().Get("endpoint")
	if endpoint == "" {
		return nil, fmt.Errorf("open objects: no endpoint %s", hint)
	}
	client, err := minio.New(endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(string(config.S3Key), string(config.S3Secret), ""),
		Secure: u.Query().Get("tls") != "off",
		Region: u.Query().Get("region"),
	})
	if err != nil {
		return nil, fmt.Errorf("open objects: %w", err)
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &bucket{client, u.Host, prefix}, nil
}

func (b *bucket) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := b.client.PutObject(ctx, b.name, b.prefix+key, r, size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	return err
}

func (b *bucket) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if length == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	var options minio.GetObjectOptions
	end := int64(0) // to the end, as minio-go says it
	if length > 0 {
		end = offset + length - 1
	}
	if offset > 0 || length > 0 {
		if err := options.SetRange(offset, end); err != nil {
			return nil, err
		}
	}
	object, _, _, err := minio.Core{Client: b.client}.GetObject(ctx, b.name, b.prefix+key, options)
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, ward.Errorf(ward.Missing, "a stored object is missing")
	}
	return object, err
}

func (b *bucket) Delete(ctx context.Context, prefix string) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	if err := b.client.RemoveObject(ctx, b.name, b.prefix+prefix, minio.RemoveObjectOptions{}); err != nil {
		return err
	}
	found := b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + prefix + "/", Recursive: true})
	for failed := range b.client.RemoveObjects(ctx, b.name, found, minio.RemoveObjectsOptions{}) {
		return failed.Err
	}
	return nil
}

func (b *bucket) List(ctx context.Context, each func(string, int64) error) error {
	for object := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if object.Err != nil {
			return object.Err
		}
		if err := each(strings.TrimPrefix(object.Key, b.prefix), object.Size); err != nil {
			return err
		}
	}
	return nil
}
