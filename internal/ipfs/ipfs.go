// Package ipfs is IPFS without a network: identifiers, blocks of files and folders, and CAR archives.
//
// # Profile
//
// Blocks follow the profile unixfs-v1-2025 (IPIP-499), so that each implementation of the profile
// gives the same content the same identifier. The profile has CIDv1, SHA2-256, chunks of 1 MiB as
// raw leaves, balanced trees of at most 1024 links a node, and no modes or times. A folder whose
// block would exceed 256 KiB becomes a hash array mapped trie of 256 slots a shard.
//
// # Trust
//
// Blocks and archives come from strangers' servers. The readers take one encoding of each value,
// bound their memory by the bytes that they got, and check the digest of each block of an archive.
// A reader of single blocks must compare [Sum] with the identifier that it asked for.
package ipfs

import (
	"crypto/sha256"
	"errors"
)

// The bounds of the profile.
const (
	// ChunkSize is the length of each leaf of a file but the last, in bytes.
	ChunkSize = 1 << 20
	// MaxLinks is the most links of a file's node.
	MaxLinks = 1024

	slots        = 256       // of a shard
	shardAbove   = 256 << 10 // bytes of a folder's block, the most before it becomes shards
	maxNodeBytes = 2 << 20   // that Children reads; what exchanges of blocks take at most
)

var (
	// ErrNode is wrapped by errors about blocks that are no file or folder in this package's encoding.
	ErrNode = errors.New("ipfs: malformed node")
	// ErrNoEntry says that a folder has no entry of that name.
	ErrNoEntry = errors.New("ipfs: no such entry")
	// ErrName says that a folder cannot hold an entry of that name.
	ErrName = errors.New("ipfs: a name that no entry can have")
)

// Block is some content and its identifier.
type Block struct {
	CID  CID
	Data []byte
}

// Link leads from a node to a part of a file, an entry of a folder, or a shard.
type Link struct {
	Name string // empty in files; in a shard it follows the two digits of the slot
	CID  CID
	Size uint64 // of all blocks below, the cumulative size that dag-pb calls Tsize
}

// Leaf is the place of a raw leaf in its file, in bytes.
type Leaf struct {
	CID            CID
	Offset, Length int64
}

// Node is the root of a file or folder.
type Node struct {
	CID   CID
	Size  int64 // bytes of the content; of a folder, of all its entries
	Total int64 // bytes of all blocks, each as often as a link leads to it
}

// Sink takes the blocks of a file or folder as they are made, children before their parents.
// The bytes are valid until the call returns. A nil field takes nothing. An error ends the work.
type Sink struct {
	Leaf func(Leaf, []byte) error // raw leaves, in the order of the content
	Node func(Block) error        // all other blocks
}

// Sum returns the identifier of a block.
func Sum(codec Codec, data []byte) CID { return CID{codec, sha256.Sum256(data)} }

// node hands a finished node's block over.
func (s Sink) node(data []byte) (CID, error) {
	id := Sum(DagPB, data)
	if s.Node == nil {
		return id, nil
	}
	return id, s.Node(Block{id, data})
}
