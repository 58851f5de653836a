package pin

import (
	"context"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/ipfs"
	"coffer/internal/keyring"
)

// The places of blocks that are not in a file.
const (
	inManifest = -1
	asNode     = -2
)

// blockRow is a block of a pin.
type blockRow struct {
	CID    ipfs.CID
	Ord    int64 // of its file; inManifest or asNode
	Start  int64 // in what is sent of the file
	Length int64
	Bytes  []byte // of an outline that is being made; nil of a leaf of a file
}

const blockColumns = `b.digest, b.codec, b.ord, b.start, b.length`

type scanner interface{ Scan(to ...any) error }

func (b *blockRow) scan(from scanner, more ...any) error {
	var digest []byte
	var codec int64
	if err := from.Scan(append([]any{&digest, &codec, &b.Ord, &b.Start, &b.Length}, more...)...); err != nil {
		return err
	}
	b.CID.Codec = ipfs.Codec(codec)
	copy(b.CID.Digest[:], digest)
	return nil
}

// insertBlocks stores blocks, their bytes sealed. A worker may have stored some before it died.
func insertBlocks(ctx context.Context, tx *db.Tx, key *keyring.DataKey, pin string, all []blockRow) error {
	return db.InPieces(all, func(piece []blockRow) error {
		args := []any{pin}
		tuples := make([]string, len(piece))
		for i, b := range piece {
			tuples[i] = "($1, " + db.Places(len(args)+1, 6) + ")"
			if b.Ord < 0 {
				b.Bytes = key.Seal("pin_blocks", "bytes", b.place(pin), b.Bytes)
			}
			args = append(args, b.CID.Digest[:], int64(b.CID.Codec), b.Ord, b.Start, b.Length, b.Bytes)
		}
		_, err := tx.Exec(ctx, `INSERT INTO pin_blocks (pin, digest, codec, ord, start, length, bytes) VALUES `+strings.Join(tuples, ", ")+` ON CONFLICT (pin, digest) DO NOTHING`, args...)
		return err
	})
}

// servedBlock is a block with the pin that shows it.
type servedBlock struct {
	blockRow
	Pin     string
	Account account.ID
}

// readServed returns up to limit pins that show a block, behind one.
func readServed(ctx context.Context, q db.Querier, digest []byte, after string, limit int) (all []servedBlock, err error) {
	rows, err := q.Query(ctx, `SELECT `+blockColumns+`, p.id, p.account FROM pin_blocks b CROSS JOIN pins p
		WHERE b.digest = $1 AND b.pin > $2 AND p.id = b.pin AND p.served ORDER BY b.pin LIMIT $3`, digest, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b servedBlock
		if err := b.scan(rows, &b.Pin, &b.Account); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// readBytes returns the sealed bytes of a block that is not in a file.
func readBytes(ctx context.Context, q db.Querier, pin string, digest []byte) (sealed []byte, err error) {
	err = q.QueryRow(ctx, `SELECT bytes FROM pin_blocks WHERE pin = $1 AND digest = $2`, pin, digest).Scan(&sealed)
	return sealed, err
}

// eachBlock calls visit with the identifier of every block of a pin, in the order of digests.
func eachBlock(ctx context.Context, q db.Querier, pin string, visit func(ipfs.CID)) error {
	rows, err := q.Query(ctx, `SELECT digest, codec FROM pin_blocks WHERE pin = $1 ORDER BY digest`, pin)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var digest []byte
		var codec int64
		if err := rows.Scan(&digest, &codec); err != nil {
			return err
		}
		c := ipfs.CID{Codec: ipfs.Codec(codec)}
		copy(c.Digest[:], digest)
		visit(c)
	}
	return rows.Err()
}

// readInOrder returns blocks of a pin behind a place: nodes and the manifest, then each file
// from its front.
func readInOrder(ctx context.Context, q db.Querier, pin string, after blockRow, limit int) (all []blockRow, err error) {
	rows, err := q.Query(ctx, `SELECT `+blockColumns+` FROM pin_blocks b WHERE b.pin = $1 AND (b.ord, b.start, b.digest) > ($2, $3, $4) ORDER BY b.ord, b.start, b.digest LIMIT $5`,
		pin, after.Ord, after.Start, after.CID.Digest[:], limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b blockRow
		if err := b.scan(rows); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// removeBlocks removes the blocks of a pin, in batches.
func removeBlocks(ctx context.Context, d *db.DB, pin string) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM pin_blocks WHERE pin = $1 AND digest IN (SELECT digest FROM pin_blocks WHERE pin = $1 ORDER BY digest LIMIT $2)`, pin)
	return err
}
