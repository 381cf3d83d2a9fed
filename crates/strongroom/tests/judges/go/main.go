// A judge of ledgers that shares no code with Strongroom: it stands on sumdb/note and sumdb/tlog of the Go project, and
// knows of Strongroom only where the files of a log lie and how a bundle of entries is written.
//
//	judge log DIR VKEY                       the signed head, every hash tile, every entry
//	judge inclusion ANSWER VKEY DIR          an answer of GET /v1/ledger/proof, about an entry of an exported log
//	judge consistency ANSWER VKEY OLD NEW    an answer of GET /v1/ledger/consistency, between two signed heads
//	judge flips DIR VKEY                     another bit in every byte of every hash tile, in memory: each is refused
//
// Exit codes: 0 confirmed, 1 refused, 2 wrong usage.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Tiles of C2SP tlog-tiles are 8 levels high.
const height = 8

var errUsage = errors.New("wrong usage")

func main() {
	err := errUsage
	if len(os.Args) >= 4 {
		err = run(os.Args[1], os.Args[2], os.Args[3], os.Args[4:])
	}
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "judge log DIR VKEY | inclusion ANSWER VKEY DIR | consistency ANSWER VKEY OLD NEW | flips DIR VKEY")
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func run(what, path, vkey string, more []string) error {
	// The verifier key goes in as Strongroom prints it.
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	switch {
	case what == "log" && len(more) == 0:
		return judgeLog(path, verifier)
	case what == "flips" && len(more) == 0:
		return judgeFlips(path, verifier)
	case what == "inclusion" && len(more) == 1:
		return judgeInclusion(path, verifier, more[0])
	case what == "consistency" && len(more) == 2:
		return judgeConsistency(path, verifier, more[0], more[1])
	}
	return errUsage
}

// ── Signed heads ────────────────────────────────────────────────────────────────────────────────────────────────────────

// open gives the tree of a signed head, once its signature holds and its origin is the name of the key.
func open(head []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(head, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("the head is of %q, and signed by %q", origin, verifier.Name())
	}
	// Behind their first line heads are written as those of the checksum database, whose reader reads them.
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func openFile(path string, verifier note.Verifier) (tlog.Tree, error) {
	head, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return open(head, verifier)
}

// ── A whole log ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// hashes are the hash tiles of an exported log, as they lie on disk: a store of hashes for tlog.
//
// tlog has a reader that authenticates tiles while it reads (TileHashReader). It is not used: in the release that Debian 12
// has, it takes tiles unseen as soon as two of the hashes that make the root lie in one tile. What it does is done below,
// with tlog's own arithmetic, for each tile.
type hashes struct {
	tiles []tlog.Tile
	data  map[tlog.Tile][]byte
}

func readHashes(dir string, size int64) (*hashes, error) {
	all := &hashes{tiles: tilesOf(size), data: map[tlog.Tile][]byte{}}
	for _, tile := range all.tiles {
		data, err := os.ReadFile(filepath.Join(dir, path(tile)))
		if err != nil {
			return nil, err
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path(tile), len(data))
		}
		all.data[tile] = data
	}
	return all, nil
}

// ReadHashes makes it a tlog.HashReader.
func (h *hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		narrow := tlog.TileForIndex(height, index)
		for _, tile := range h.tiles {
			if tile.L == narrow.L && tile.N == narrow.N {
				hash, err := tlog.HashFromTile(tile, h.data[tile], index)
				if err != nil {
					return nil, err
				}
				found[i] = hash
			}
		}
		if found[i] == (tlog.Hash{}) {
			return nil, fmt.Errorf("no tile has hash %d", index)
		}
	}
	return found, nil
}

// check holds one tile against what is above it: a full one against its hash in the next level, one at the edge against the
// signed root, which is made of the hashes of all edges.
func (h *hashes) check(tile tlog.Tile, tree tlog.Tree) error {
	if tile.W < 1<<height {
		root, err := tlog.TreeHash(tree.N, h)
		if err == nil && root != tree.Hash {
			err = errors.New("the tiles at the edge do not give the signed root")
		}
		return err
	}
	top := height*tile.L + height - 1
	found, err := h.ReadHashes([]int64{
		tlog.StoredHashIndex(top, 2*tile.N), tlog.StoredHashIndex(top, 2*tile.N+1), tlog.StoredHashIndex(top+1, tile.N),
	})
	if err == nil && tlog.NodeHash(found[0], found[1]) != found[2] {
		err = fmt.Errorf("%s is not the tile whose hash stands in the level above", path(tile))
	}
	return err
}

// path is where a tile lies: as in the checksum database, without the height, and with `entries` for `data`.
func path(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tile.H))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

// tilesOf lists the hash tiles of a tree: those that are full, and the last one of each level.
func tilesOf(size int64) []tlog.Tile {
	var last []tlog.Tile
	for _, tile := range tlog.NewTiles(height, 0, size) {
		if n := len(last); n > 0 && last[n-1].L == tile.L && last[n-1].N == tile.N {
			last[n-1] = tile // a wider form of the same one
		} else {
			last = append(last, tile)
		}
	}
	return last
}

func judgeLog(dir string, verifier note.Verifier) error {
	tree, err := openFile(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	stored, err := readHashes(dir, tree.N)
	if err != nil {
		return err
	}
	// The root first: a tree whose last entries fill their tiles to the brim has its edge on a higher level only.
	if root, err := tlog.TreeHash(tree.N, stored); err != nil || root != tree.Hash {
		return fmt.Errorf("the tiles give the root %v, and the signed one is %v (%v)", root, tree.Hash, err)
	}
	expected, levels, entries := map[string]bool{}, map[int]bool{}, int64(0)
	for _, tile := range stored.tiles {
		expected[path(tile)], levels[tile.L] = true, true
		if err := stored.check(tile, tree); err != nil {
			return err
		}
		if tile.L > 0 {
			continue
		}
		bundle := tlog.Tile{H: tile.H, L: -1, N: tile.N, W: tile.W}
		expected[path(bundle)] = true
		leaves, err := leavesOf(dir, bundle)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			signed, err := stored.ReadHashes([]int64{tlog.StoredHashIndex(0, entries)})
			if err != nil || leaf != signed[0] {
				return fmt.Errorf("%s: entry %d is not the one that was signed (%v)", path(bundle), i, err)
			}
			entries++
		}
	}
	if entries != tree.N {
		return fmt.Errorf("%d entries, and the head says %d", entries, tree.N)
	}
	if err := nothingElse(dir, expected); err != nil {
		return err
	}
	fmt.Printf("confirmed: %d entries, %d hash tiles on %d levels, root %v\n", entries, len(stored.tiles), len(levels), tree.Hash)
	return nil
}

// leavesOf gives the leaf hashes of a bundle: entries, each behind its length in two bytes.
func leavesOf(dir string, bundle tlog.Tile) ([]tlog.Hash, error) {
	data, err := os.ReadFile(filepath.Join(dir, path(bundle)))
	if err != nil {
		return nil, err
	}
	var leaves []tlog.Hash
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s ends inside an entry", path(bundle))
		}
		length := 2 + int(binary.BigEndian.Uint16(data))
		leaves = append(leaves, tlog.RecordHash(data[2:length]))
		data = data[length:]
	}
	if len(leaves) != bundle.W {
		return nil, fmt.Errorf("%s has %d entries, and %d belong there", path(bundle), len(leaves), bundle.W)
	}
	return leaves, nil
}

// nothingElse sees that no tile lies in the folder that the tree does not have.
func nothingElse(dir string, expected map[string]bool) error {
	return filepath.WalkDir(filepath.Join(dir, "tile"), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err == nil && !expected[filepath.ToSlash(name)] {
			err = fmt.Errorf("%s is no tile of this tree", name)
		}
		return err
	})
}

func judgeFlips(dir string, verifier note.Verifier) error {
	tree, err := openFile(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	stored, err := readHashes(dir, tree.N)
	if err != nil {
		return err
	}
	refused := 0
	for _, tile := range stored.tiles {
		data := stored.data[tile]
		for at := range data {
			data[at] ^= 1 << (at % 8)
			if stored.check(tile, tree) == nil {
				return fmt.Errorf("byte %d of %s may be anything", at, path(tile))
			}
			data[at] ^= 1 << (at % 8)
			refused++
		}
		// And as it was it is taken: no refusal came of anything else.
		if err := stored.check(tile, tree); err != nil {
			return err
		}
	}
	fmt.Printf("confirmed: %d flips, each of them refused\n", refused)
	return nil
}

// ── Answers of the API ──────────────────────────────────────────────────────────────────────────────────────────────────

// read reads an answer; names that it has beside those of the form are a fault.
func read(file string, form any) error {
	answer, err := os.Open(file)
	if err != nil {
		return err
	}
	defer answer.Close()
	reader := json.NewDecoder(answer)
	reader.DisallowUnknownFields()
	return reader.Decode(form)
}

func unhex(text string) (hash tlog.Hash, err error) {
	bytes, err := hex.DecodeString(text)
	if err == nil && len(bytes) != tlog.HashSize {
		err = fmt.Errorf("a hash of %d bytes", len(bytes))
	}
	copy(hash[:], bytes)
	return hash, err
}

func proofOf(texts []string) ([]tlog.Hash, error) {
	proof := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		hash, err := unhex(text)
		if err != nil {
			return nil, err
		}
		proof[i] = hash
	}
	return proof, nil
}

func judgeInclusion(file string, verifier note.Verifier, dir string) error {
	var answer struct {
		Index      int64
		Leaf       string
		Proof      []string
		Checkpoint string
	}
	if err := read(file, &answer); err != nil {
		return err
	}
	tree, err := open([]byte(answer.Checkpoint), verifier)
	if err != nil {
		return err
	}
	leaf, err := unhex(answer.Leaf)
	if err != nil {
		return err
	}
	proof, err := proofOf(answer.Proof)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(tlog.RecordProof(proof), tree.N, tree.Hash, answer.Index, leaf); err != nil {
		return err
	}
	// The leaf is that of the entry which the exported log has in this place.
	exported, err := openFile(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	for _, tile := range tilesOf(exported.N) {
		if tile.L == 0 && tile.N == answer.Index>>height {
			leaves, err := leavesOf(dir, tlog.Tile{H: tile.H, L: -1, N: tile.N, W: tile.W})
			if err != nil {
				return err
			}
			if place := int(answer.Index & (1<<height - 1)); place >= len(leaves) || leaves[place] != leaf {
				return errors.New("the exported log has another entry there")
			}
			fmt.Printf("confirmed: entry %d is in the tree of %d\n", answer.Index, tree.N)
			return nil
		}
	}
	return errors.New("the exported log has no such entry")
}

func judgeConsistency(file string, verifier note.Verifier, before, after string) error {
	var answer struct {
		From, To int64
		Proof    []string
	}
	if err := read(file, &answer); err != nil {
		return err
	}
	older, err := openFile(before, verifier)
	if err != nil {
		return err
	}
	newer, err := openFile(after, verifier)
	if err != nil {
		return err
	}
	if answer.From != older.N || answer.To != newer.N {
		return fmt.Errorf("a proof from %d to %d, and the heads are of %d and %d", answer.From, answer.To, older.N, newer.N)
	}
	proof, err := proofOf(answer.Proof)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(tlog.TreeProof(proof), newer.N, newer.Hash, older.N, older.Hash); err != nil {
		return err
	}
	fmt.Printf("confirmed: the tree of %d only added to that of %d\n", newer.N, older.N)
	return nil
}
