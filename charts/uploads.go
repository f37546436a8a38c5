package charts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ward"
	"ward/seal/envelope"
	"ward/store"
)

const (
	// maxParts bounds the parts of one upload: the largest file in the largest parts, with room for smaller ones.
	maxParts = 4 * (ward.MaxFile/ward.MaxPart + 1)
	// uploadLife is how long an upload that belongs to no entry is kept, so that a phone can go on tomorrow.
	uploadLife = 48 * time.Hour
	// maxOpenUploads is how many a person may have begun and not finished, so that no disk fills by mistake.
	maxOpenUploads = 20
	// maxUploadDay is how many bytes a person may upload in uploadDay, finished or not: eight of the largest files, more
	// than anyone's phone or scanner makes, and little beside a clinic's disk.
	maxUploadDay = 8 * ward.MaxFile
	uploadDay    = 24 * time.Hour
	// attemptLife is how long one part may be on its way: longer than the server gives it.
	attemptLife = 2 * settled
)

// upload is a sealed file on its way in.
type upload struct {
	id     ward.UploadID
	lock   ward.LockID
	person ward.PersonID
	parts  int64
	size   int64
	state  []byte
	head   []byte
	entry  ward.EntryID
}

// PutPart takes one part of an upload. Parts come in order; one that is there already is skipped, so a client that
// lost its connection sends it again. The part goes to the object store as it arrives, and is hashed on the way.
//
// Each attempt to send a part has an object of its own, which counts once its row says so: of two that arrive at once one
// counts, whichever bytes the other has. Until then the object is on the list of those to delete.
func (c *Charts) PutPart(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	id, lockID := ward.UploadID(r.PathValue("upload")), ward.LockID(r.PathValue("lock"))
	part, err := strconv.ParseInt(r.PathValue("part"), 10, 64)
	if err != nil || part < 1 || part > maxParts || !ward.IsID(id) {
		return ward.Errorf(ward.Invalid, "a part has a number from 1 to %d, and an upload an id", int64(maxParts))
	}
	if r.ContentLength < 1 || r.ContentLength > ward.MaxPart {
		return ward.Errorf(ward.TooLarge, "a part has from 1 to %d bytes, said in Content-Length", int64(ward.MaxPart))
	}
	var u upload
	err = c.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		u, err = c.openUpload(ctx, tx, who, lockID, id)
		return err
	})
	if err != nil {
		return err
	}
	if part <= u.parts {
		io.Copy(io.Discard, io.LimitReader(r.Body, ward.MaxPart))
		return answer(w, ward.Upload{Upload: id, Parts: u.parts, Size: u.size})
	}
	if part != u.parts+1 {
		return ward.Errorf(ward.Conflict, "part %d comes before %d", u.parts+1, part).WithHint("Send the parts in order.")
	}
	if u.size+r.ContentLength > ward.MaxFile {
		return ward.Errorf(ward.TooLarge, "a sealed file may be %d bytes long", int64(ward.MaxFile))
	}
	object := newAttempt(who.Org, lockID, id, part)
	err = c.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error { // rows before the object, so that what is left behind is swept
		return c.beginPart(ctx, tx, who.Org, u, object, r.ContentLength)
	})
	if err != nil {
		return err
	}
	sum := sha256.New()
	if len(u.state) > 0 {
		if err := sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(u.state); err != nil {
			return fmt.Errorf("go on hashing an upload: %w", err)
		}
	}
	beginning := &firstBytes{keep: envelope.HeaderSize - len(u.head)}
	body := io.TeeReader(io.TeeReader(r.Body, sum), beginning)
	if err := c.DB.Objects().Put(ctx, object, body, r.ContentLength); err != nil {
		return &ward.Error{Kind: ward.Unavailable, Message: "this part did not arrive whole", Hint: "Send it again.", Err: errors.Join(err, c.dropAttempt(ctx, object))}
	}
	state, err := marshal(sum)
	if err != nil {
		return err
	}
	was := u.parts
	u.parts, u.size, u.state, u.head = part, u.size+r.ContentLength, state, append(u.head, beginning.bytes...)
	err = c.DB.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return c.saveUpload(ctx, tx, who.Org, u, was, object, r.ContentLength)
	})
	if err != nil {
		return errors.Join(err, c.dropAttempt(ctx, object))
	}
	return answer(w, ward.Upload{Upload: id, Parts: u.parts, Size: u.size})
}

// dropAttempt deletes what came of a part that does not count, so that nobody fills the disk with such. What cannot be
// deleted now is on the list of what a sweep deletes.
func (c *Charts) dropAttempt(ctx context.Context, object string) error {
	if err := c.DB.Objects().Delete(context.WithoutCancel(ctx), object); err != nil {
		return fmt.Errorf("a part that does not count is left for the sweep: %w", err)
	}
	return nil
}

// openUpload finds an upload of the caller, or begins one.
func (c *Charts) openUpload(ctx context.Context, tx *store.Tx, who ward.Caller, lockID ward.LockID, id ward.UploadID) (upload, error) {
	u, err := getUpload(ctx, tx, who.Org, id)
	if errors.Is(err, store.ErrNoRow) {
		open := int64(0)
		err := tx.Row(ctx, `SELECT count(*) FROM uploads WHERE org = $1 AND person = $2 AND entry = ''`, string(who.Org), string(who.Person)).Scan(&open)
		if err == nil && open >= maxOpenUploads {
			err = ward.Errorf(ward.TooMany, "%d uploads are begun and not finished", open).WithHint("Finish them, or wait two days.")
		}
		return upload{id: id, lock: lockID, person: who.Person}, err
	}
	if err != nil {
		return u, err
	}
	switch {
	case u.person != who.Person || u.lock != lockID:
		return u, missing("upload")
	case u.entry != "":
		return u, ward.Errorf(ward.Conflict, "this upload is finished")
	}
	return u, nil
}

// beginPart makes an upload's row, if it is the first part, and puts the object that is to come on the list of those to
// delete, from which saveUpload takes it.
func (c *Charts) beginPart(ctx context.Context, tx *store.Tx, org ward.OrgID, u upload, object string, size int64) error {
	if u.parts == 0 {
		if err := c.beginUpload(ctx, tx, org, u); err != nil {
			return err
		}
	}
	var today int64
	err := tx.Row(ctx, `SELECT COALESCE(SUM(size), 0) FROM uploads WHERE org = $1 AND person = $2 AND touched > $3`,
		string(org), string(u.person), c.Now().Add(-uploadDay).UnixMilli()).Scan(&today)
	if err == nil && today+size > maxUploadDay {
		err = ward.Errorf(ward.TooMany, "you have sent %d GB of files within a day", today>>30).WithHint("What you sent is kept. Go on tomorrow.")
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO object_deletions (prefix, since) VALUES ($1, $2)`, object, c.Now().Add(attemptLife).UnixMilli())
	return err
}

// beginUpload makes an upload's row. Of an upload that was given up objects are being deleted, so it is not begun again.
func (c *Charts) beginUpload(ctx context.Context, tx *store.Tx, org ward.OrgID, u upload) error {
	_, err := tx.Exec(ctx, `INSERT INTO uploads (org, upload, lock, person, parts, size, state, head, entry, touched) VALUES ($1, $2, $3, $4, 0, 0, $5, $6, '', $7) ON CONFLICT DO NOTHING`,
		string(org), string(u.id), string(u.lock), string(u.person), []byte{}, []byte{}, c.Now().UnixMilli())
	if err != nil {
		return err
	}
	// Asked after the row is there, which waits for a sweep that is removing it.
	given, err := isForgotten(ctx, tx, org, u.lock, u.id)
	if err == nil && given {
		err = ward.Errorf(ward.Gone, "this upload was given up").WithHint("Send the file again, as a new upload.")
	}
	return err
}

// saveUpload records a part, unless another request recorded it first. The object of one that lost stays on the list of
// those to delete.
func (c *Charts) saveUpload(ctx context.Context, tx *store.Tx, org ward.OrgID, u upload, was int64, object string, partSize int64) error {
	n, err := tx.Exec(ctx, `UPDATE uploads SET parts = $1, size = $2, state = $3, head = $4, touched = $5 WHERE org = $6 AND upload = $7 AND parts = $8 AND entry = ''`,
		u.parts, u.size, u.state, u.head, c.Now().UnixMilli(), string(org), string(u.id), was)
	if err != nil {
		return err
	}
	if n == 0 {
		return ward.Errorf(ward.Conflict, "this part arrives twice at once").WithHint("Ask how far the upload is, and go on from there.")
	}
	n, err = tx.Exec(ctx, `DELETE FROM object_deletions WHERE prefix = $1 AND since > $2`, object, c.Now().UnixMilli())
	if err == nil && n == 0 { // it was on its way for so long that a sweep may have it
		err = ward.Errorf(ward.Conflict, "this part took too long").WithHint("Send it again.")
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO upload_parts (org, upload, part, size, object) VALUES ($1, $2, $3, $4, $5)`, string(org), string(u.id), u.parts, partSize, object)
	return err
}

func getUpload(ctx context.Context, tx *store.Tx, org ward.OrgID, id ward.UploadID) (upload, error) {
	u := upload{id: id}
	err := tx.Row(ctx, `SELECT lock, person, parts, size, state, head, entry FROM uploads WHERE org = $1 AND upload = $2`, string(org), string(id)).
		Scan((*string)(&u.lock), (*string)(&u.person), &u.parts, &u.size, &u.state, &u.head, (*string)(&u.entry))
	return u, err
}

// finishUpload ties an upload to its entry, once what arrived is what the entry's statement says.
func (c *Charts) finishUpload(ctx context.Context, tx *store.Tx, who ward.Caller, l lock, id ward.UploadID, b envelope.Entry) error {
	u, err := getUpload(ctx, tx, who.Org, id)
	if errors.Is(err, store.ErrNoRow) || err == nil && (u.person != who.Person || u.lock != l.id) {
		return missing("upload")
	}
	if err != nil {
		return err
	}
	if u.entry != "" {
		return ward.Errorf(ward.Conflict, "this upload belongs to another entry")
	}
	sum := sha256.New()
	if err := sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(u.state); err != nil {
		return fmt.Errorf("finish hashing an upload: %w", err)
	}
	if u.size != b.Size || ward.B64.EncodeToString(sum.Sum(nil)) != b.SHA256 {
		return ward.Errorf(ward.Invalid, "what was uploaded does not have the size and hash that the entry says").WithHint("Send the file again, as a new upload.")
	}
	if err := envelope.CheckSealed(u.head); err != nil {
		return invalid(err)
	}
	n, err := tx.Exec(ctx, `UPDATE uploads SET entry = $1 WHERE org = $2 AND upload = $3 AND entry = ''`, string(b.Entry), string(who.Org), string(id))
	if err == nil && n == 0 { // since it was read, another entry took it or a sweep
		err = ward.Errorf(ward.Conflict, "this upload belongs to another entry")
	}
	return err
}

// GetSealed sends an entry's sealed bytes, or the range of them that is asked for.
func (c *Charts) GetSealed(ctx context.Context, who ward.Caller, w http.ResponseWriter, r *http.Request) error {
	id, entry := ward.LockID(r.PathValue("lock")), ward.EntryID(r.PathValue("entry"))
	var sealed []byte
	var uploaded ward.UploadID
	var size int64
	var stored []storedPart
	err := c.DB.View(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.Row(ctx, `SELECT sealed, upload, size FROM entries WHERE org = $1 AND lock = $2 AND entry = $3`, string(who.Org), string(id), string(entry)).
			Scan(&sealed, (*string)(&uploaded), &size)
		if errors.Is(err, store.ErrNoRow) {
			return missing("entry")
		}
		if err != nil {
			return err
		}
		if uploaded == "" {
			if sealed == nil {
				return ward.Errorf(ward.Gone, "this entry was erased")
			}
			return nil
		}
		found, err := tx.Rows(ctx, `SELECT object, size FROM upload_parts WHERE org = $1 AND upload = $2 ORDER BY part`, string(who.Org), string(uploaded))
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var p storedPart
			if err := found.Scan(&p.object, &p.size); err != nil {
				return err
			}
			stored = append(stored, p)
		}
		return found.Err()
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	var content io.ReadSeeker = &parts{size: size, open: func(offset int64) (io.ReadCloser, error) {
		for _, p := range stored {
			if offset < p.size {
				return c.DB.Objects().Open(ctx, p.object, offset, p.size-offset)
			}
			offset -= p.size
		}
		return nil, io.EOF
	}}
	if uploaded == "" {
		content = inline(sealed)
	}
	defer func() {
		if closer, ok := content.(io.Closer); ok {
			closer.Close()
		}
	}()
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// A storedPart is where one part of an upload is, and how large.
type storedPart struct {
	object string
	size   int64
}

// parts reads the parts of an object one after another.
type parts struct {
	size    int64
	offset  int64
	open    func(offset int64) (io.ReadCloser, error)
	current io.ReadCloser
	opened  int64 // the offset at which current begins
}

func (p *parts) Read(b []byte) (int, error) {
	for p.offset < p.size {
		if p.current == nil {
			opened, err := p.open(p.offset)
			if err != nil {
				return 0, err
			}
			p.current, p.opened = opened, p.offset
		}
		n, err := p.current.Read(b)
		p.offset += int64(n)
		if errors.Is(err, io.EOF) {
			p.Close()
			if n == 0 && p.offset == p.opened {
				return 0, io.ErrUnexpectedEOF // the stored part is shorter than it was
			}
			if n == 0 {
				continue
			}
			err = nil
		}
		return n, err
	}
	return 0, io.EOF
}

func (p *parts) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.offset
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	p.Close()
	p.offset = offset
	return offset, nil
}

func (p *parts) Close() error {
	if p.current == nil {
		return nil
	}
	err := p.current.Close()
	p.current = nil
	return err
}

func lockKey(org ward.OrgID, id ward.LockID) string { return string(org) + "/" + string(id) }

func uploadKey(org ward.OrgID, id ward.LockID, u ward.UploadID) string {
	return lockKey(org, id) + "/" + string(u)
}

// newAttempt is the key of the object of one attempt to send a part.
func newAttempt(org ward.OrgID, id ward.LockID, u ward.UploadID, part int64) string {
	return uploadKey(org, id, u) + "/" + strconv.FormatInt(part, 10) + "/" + strings.ToLower(rand.Text())
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct {
	keep  int
	bytes []byte
}

func (f *firstBytes) Write(b []byte) (int, error) {
	if n := min(f.keep-len(f.bytes), len(b)); n > 0 {
		f.bytes = append(f.bytes, b[:n]...)
	}
	return len(b), nil
}

func marshal(h hash.Hash) ([]byte, error) { return h.(encoding.BinaryMarshaler).MarshalBinary() }
