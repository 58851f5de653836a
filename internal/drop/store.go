package drop

import (
	"context"

	"coffer/internal/db"
)

// member is a member of a live drop, with what its drop is called. Times are unix
// milliseconds.
type member struct {
	RID      string
	Host     bool
	Admitted bool
	Drop     string // id
	Name     string
	Expires  int64
	HostRID  string
	Joined   int64
	Address  string // blind index
	Sockets  int64  // that it has opened
}

// person is a member as other members see it.
type person struct {
	RID            string
	Host, Admitted bool
	Here           bool
}

// clock is the moment and the grace by which statements judge whether a drop is live.
type clock struct{ now, grace int64 }

// live is true for a drop d that has not expired and whose host was connected within the
// grace. A connection lives while its node renews drop_nodes, so a killed node's drops end.
// $1 is the moment and $2 that moment less the grace.
const live = `d.expires_at > $1 AND EXISTS (SELECT 1 FROM drop_members h LEFT JOIN drop_nodes n ON n.id = h.node
	WHERE h.drop_id = d.id AND h.host AND COALESCE(n.seen_at, h.seen_at) > $2)`

func (c clock) with(args ...any) []any { return append([]any{c.now, c.now - c.grace}, args...) }

// insertDrop makes a drop and reports whether its name was free.
func insertDrop(ctx context.Context, tx *db.Tx, id, name string, expires int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO drops (id, name, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, id, name, expires)
	return n == 1, err
}

// insertHost makes the host of a new drop.
func insertHost(ctx context.Context, tx *db.Tx, drop, rid string, token []byte, now int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO drop_members (rid, drop_id, token, host, admitted, address, joined_at, node, sockets, seen_at)
		VALUES ($1, $2, $3, TRUE, TRUE, $4, $5, '', 0, $5)`, rid, drop, token, []byte{}, now)
	return err
}

// found is a live drop as strangers see it.
type found struct {
	ID      string
	Name    string
	Expires int64
	Guests  int
}

// findDrop reads the live drop of a name; db.ErrNoRows.
func findDrop(ctx context.Context, q db.Querier, c clock, name string, waitingSince int64) (f found, err error) {
	err = q.QueryRow(ctx, `SELECT d.id, d.name, d.expires_at, (SELECT COUNT(*) FROM drop_members m WHERE m.drop_id = d.id AND NOT m.host AND (m.admitted OR m.joined_at > $4))
		FROM drops d WHERE d.name = $3 AND `+live, c.with(name, waitingSince)...).Scan(&f.ID, &f.Name, &f.Expires, &f.Guests)
	return f, err
}

// holdDrop is findDrop, and keeps other joins waiting until tx ends. Setting a column to
// itself is the lock that both engines know.
func holdDrop(ctx context.Context, tx *db.Tx, c clock, name string) (id string, err error) {
	err = tx.QueryRow(ctx, `UPDATE drops AS d SET expires_at = d.expires_at WHERE d.name = $3 AND `+live+` RETURNING id`, c.with(name)...).Scan(&id)
	return id, err
}

func countDrops(ctx context.Context, q db.Querier) (n int64, err error) {
	err = q.QueryRow(ctx, `SELECT COUNT(*) /* bounded: drops live for days */ FROM drops`).Scan(&n)
	return n, err
}

// insertGuest adds a guest that waits for its admission. The caller holds the drop.
func insertGuest(ctx context.Context, tx *db.Tx, drop, rid string, token, address []byte, now int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO drop_members (rid, drop_id, token, host, admitted, address, joined_at, node, sockets, seen_at)
		VALUES ($1, $2, $3, FALSE, FALSE, $4, $5, '', 0, $5)`, rid, drop, token, address, now)
	return err
}

// guests are the numbers of a drop's guests: all, those that wait for their admission, and
// those of the latter that joined from one address.
type guests struct{ all, waiting, together int }

// countGuests counts them. The caller holds the drop.
func countGuests(ctx context.Context, tx *db.Tx, drop string, address []byte) (g guests, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN admitted THEN 0 ELSE 1 END), 0), COALESCE(SUM(CASE WHEN NOT admitted AND address = $2 THEN 1 ELSE 0 END), 0)
		FROM drop_members WHERE drop_id = $1 AND NOT host`, drop, address).Scan(&g.all, &g.waiting, &g.together)
	return g, err
}

// deleteLate removes the guests of a drop that were not admitted in time.
func deleteLate(ctx context.Context, q db.Querier, drop string, since int64) error {
	_, err := q.Exec(ctx, `DELETE FROM drop_members WHERE drop_id = $1 AND admitted = FALSE AND joined_at <= $2`, drop, since)
	return err
}

// deleteAllLate is deleteLate for every drop.
func deleteAllLate(ctx context.Context, q db.Querier, since int64) error {
	_, err := q.Exec(ctx, `DELETE FROM drop_members WHERE admitted = FALSE AND joined_at <= $1`, since)
	return err
}

// findMember reads the member of a live drop with that token; db.ErrNoRows.
func findMember(ctx context.Context, q db.Querier, c clock, column string, value any) (m member, err error) {
	var address []byte
	err = q.QueryRow(ctx, `SELECT m.rid, m.host, m.admitted, d.id, d.name, d.expires_at, (SELECT x.rid FROM drop_members x WHERE x.drop_id = d.id AND x.host), m.joined_at, m.address, m.sockets
		FROM drop_members m JOIN drops d ON d.id = m.drop_id WHERE m.`+column+` = $3 AND `+live, c.with(value)...).
		Scan(&m.RID, &m.Host, &m.Admitted, &m.Drop, &m.Name, &m.Expires, &m.HostRID, &m.Joined, &address, &m.Sockets)
	m.Address = string(address)
	return m, err
}

// nameTaken reports whether a live drop has a name.
func nameTaken(ctx context.Context, q db.Querier, c clock, name string) (taken bool, err error) {
	err = q.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM drops d WHERE d.name = $3 AND `+live+`)`, c.with(name)...).Scan(&taken)
	return taken, err
}

// renameDrop changes name and end of a drop and returns both. A taken name is an error of
// the unique index.
func changeDrop(ctx context.Context, q *db.DB, id string, name *string, expires *int64) (newName string, newExpires int64, err error) {
	err = q.WriteRow(ctx, `UPDATE drops SET name = COALESCE($2, name), expires_at = COALESCE($3, expires_at) WHERE id = $1
		AND NOT EXISTS (SELECT 1 FROM drops o WHERE o.name = $2 AND o.id <> $1) RETURNING name, expires_at`, id, name, expires).Scan(&newName, &newExpires)
	return newName, newExpires, err
}

// deleteDrop removes a drop and all that belongs to it.
func deleteDrop(ctx context.Context, q db.Querier, id string) (bool, error) {
	n, err := q.Exec(ctx, `DELETE FROM drops WHERE id = $1`, id)
	return n == 1, err
}

// ended is a drop that is over.
type ended struct {
	ID      string
	Expires int64
}

// deleteDead removes the drop of a name if it is not live, and returns it.
func deleteDead(ctx context.Context, tx *db.Tx, c clock, name string) ([]ended, error) {
	return scanEnded(tx.Query(ctx, `DELETE FROM drops AS d WHERE d.name = $3 AND NOT (`+live+`) RETURNING id, expires_at`, c.with(name)...))
}

// deleteAllDead removes every drop that is not live, and returns them. Hosts of dead nodes
// count once [loseMembers] has disconnected them.
func deleteAllDead(ctx context.Context, tx *db.Tx, c clock) ([]ended, error) {
	expired, err := scanEnded(tx.Query(ctx, `DELETE FROM drops WHERE expires_at <= $1 RETURNING id, expires_at`, c.now))
	if err != nil {
		return nil, err
	}
	left, err := scanEnded(tx.Query(ctx, `DELETE FROM drops WHERE id IN
		(SELECT h.drop_id FROM drop_members h WHERE h.host = TRUE AND h.node = '' AND h.seen_at <= $1) RETURNING id, expires_at`, c.now-c.grace))
	return append(expired, left...), err
}

func scanEnded(rows *db.Rows, err error) (all []ended, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e ended
		if err := rows.Scan(&e.ID, &e.Expires); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// connect notes a member's new connection and returns its number, which no earlier one has;
// db.ErrNoRows when the member is gone, or has had as many as a guest that waits may have.
func connect(ctx context.Context, q *db.DB, rid, node string, now int64) (number int64, err error) {
	err = q.WriteRow(ctx, `UPDATE drop_members SET node = $2, sockets = sockets + 1, seen_at = $3 WHERE rid = $1 AND (admitted = TRUE OR sockets < $4) RETURNING sockets`,
		rid, node, now, maxSockets).Scan(&number)
	return number, err
}

// disconnect notes the end of a connection, and reports whether the member was admitted;
// db.ErrNoRows when it has a newer connection, or is gone.
func disconnect(ctx context.Context, q *db.DB, rid, node string, number, now int64) (admitted bool, err error) {
	err = q.WriteRow(ctx, `UPDATE drop_members SET node = '', seen_at = $4 WHERE rid = $1 AND node = $2 AND sockets = $3 RETURNING admitted`, rid, node, number, now).Scan(&admitted)
	return admitted, err
}

// disconnectAll notes the end of all connections of a node.
func disconnectAll(ctx context.Context, q db.Querier, node string, now int64) error {
	_, err := q.Exec(ctx, `UPDATE drop_members SET node = '', seen_at = $2 WHERE node = $1`, node, now)
	return err
}

// deleteGuest removes a guest that was admitted.
func deleteGuest(ctx context.Context, q db.Querier, drop, rid string) (bool, error) {
	n, err := q.Exec(ctx, `DELETE FROM drop_members WHERE drop_id = $1 AND rid = $2 AND NOT host AND admitted = TRUE`, drop, rid)
	return n == 1, err
}

// forgetGuest removes a guest that was not admitted, unless it has a newer connection.
func forgetGuest(ctx context.Context, q db.Querier, rid string, number int64) (bool, error) {
	n, err := q.Exec(ctx, `DELETE FROM drop_members WHERE rid = $1 AND admitted = FALSE AND sockets = $2`, rid, number)
	return n == 1, err
}

// acquitGuest removes a guest that its host would let in and that is away.
func acquitGuest(ctx context.Context, q db.Querier, drop, rid string) error {
	_, err := q.Exec(ctx, `DELETE FROM drop_members WHERE drop_id = $1 AND rid = $2 AND admitted = FALSE AND node = '' AND sockets > 0`, drop, rid)
	return err
}

// rejectGuest removes a guest that waits and returns its address; db.ErrNoRows.
func rejectGuest(ctx context.Context, q *db.DB, drop, rid string) (address []byte, err error) {
	err = q.WriteRow(ctx, `DELETE FROM drop_members WHERE drop_id = $1 AND rid = $2 AND admitted = FALSE RETURNING address`, drop, rid).Scan(&address)
	return address, err
}

// admitGuest lets a guest in that joined after since. One whose connection broke has missed what its
// host told it with the admission, and would keep its place for nothing.
func admitGuest(ctx context.Context, q db.Querier, drop, rid string, since int64) (bool, error) {
	n, err := q.Exec(ctx, `UPDATE drop_members SET admitted = TRUE WHERE drop_id = $1 AND rid = $2 AND admitted = FALSE AND joined_at > $3 AND (node <> '' OR sockets = 0)`, drop, rid, since)
	return n == 1, err
}

const personColumns = `m.rid, m.host, m.admitted, m.node <> ''`

// listPeople reads all members of a drop.
func listPeople(ctx context.Context, q db.Querier, drop string) (all []person, err error) {
	rows, err := q.Query(ctx, `SELECT `+personColumns+` FROM drop_members m WHERE m.drop_id = $1`, drop)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p person
		if err := rows.Scan(&p.RID, &p.Host, &p.Admitted, &p.Here); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// findPerson reads one member of a drop; db.ErrNoRows.
func findPerson(ctx context.Context, q db.Querier, drop, rid string) (p person, err error) {
	err = q.QueryRow(ctx, `SELECT `+personColumns+` FROM drop_members m WHERE m.drop_id = $1 AND m.rid = $2`, drop, rid).Scan(&p.RID, &p.Host, &p.Admitted, &p.Here)
	return p, err
}

// findConnection reads the number of a member's newest connection, or 0 while there is none;
// db.ErrNoRows.
func findConnection(ctx context.Context, q db.Querier, drop, rid string) (number int64, err error) {
	err = q.QueryRow(ctx, `SELECT CASE WHEN node = '' THEN 0 ELSE sockets END FROM drop_members WHERE drop_id = $1 AND rid = $2`, drop, rid).Scan(&number)
	return number, err
}

// beat renews a node and reports whether it was known.
func beat(ctx context.Context, q db.Querier, node string, now int64) (bool, error) {
	n, err := q.Exec(ctx, `UPDATE drop_nodes SET seen_at = $2 WHERE id = $1`, node, now)
	return n == 1, err
}

// insertNode makes a node known.
func insertNode(ctx context.Context, q db.Querier, node string, now int64) error {
	_, err := q.Exec(ctx, `INSERT INTO drop_nodes (id, seen_at) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at`, node, now)
	return err
}

// deleteNode forgets a node.
func deleteNode(ctx context.Context, q db.Querier, node string) error {
	_, err := q.Exec(ctx, `DELETE FROM drop_nodes WHERE id = $1`, node)
	return err
}

// lost is a member whose node ended without a word.
type lost struct {
	Drop string
	person
}

// loseMembers marks the members of nodes that were silent since before as not connected,
// from the moment when their node was last seen, and returns them.
func loseMembers(ctx context.Context, tx *db.Tx, before int64) (all []lost, err error) {
	rows, err := tx.Query(ctx, `UPDATE drop_members AS m SET node = '', seen_at = (SELECT n.seen_at FROM drop_nodes n WHERE n.id = m.node)
		WHERE m.node IN (SELECT n.id /* bounded: processes */ FROM drop_nodes n WHERE n.seen_at < $1)
		RETURNING drop_id, rid, host, admitted`, before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l lost
		if err := rows.Scan(&l.Drop, &l.RID, &l.Host, &l.Admitted); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// deleteNodes forgets nodes that were silent since before, and the streams that they sent.
func deleteNodes(ctx context.Context, tx *db.Tx, before int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM drop_transfers WHERE node IN (SELECT n.id /* bounded: processes */ FROM drop_nodes n WHERE n.seen_at < $1)`, before); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE /* bounded: processes */ FROM drop_nodes WHERE seen_at < $1`, before)
	return err
}

// insertTransfer adds a transfer unless its receiver has most already. Holding the
// receiver's row keeps its other requests waiting.
func insertTransfer(ctx context.Context, tx *db.Tx, id string, m member, sender string, most int, now int64) (bool, error) {
	if _, err := tx.Exec(ctx, `UPDATE drop_members SET seen_at = seen_at WHERE rid = $1`, m.RID); err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO drop_transfers (id, drop_id, sender, receiver, node, asked_at)
		SELECT $1, $2, $3, $4, '', $5 WHERE (SELECT COUNT(*) FROM drop_transfers t WHERE t.receiver = $4) < $6`, id, m.Drop, sender, m.RID, now, most)
	return n == 1, err
}

// countTransfers counts the transfers of a receiver.
func countTransfers(ctx context.Context, q db.Querier, receiver string) (n int, err error) {
	err = q.QueryRow(ctx, `SELECT COUNT(*) FROM drop_transfers WHERE receiver = $1`, receiver).Scan(&n)
	return n, err
}

// takeTransfer gives a receiver's stream to a node, once, and returns the sender;
// db.ErrNoRows.
func takeTransfer(ctx context.Context, q *db.DB, id string, m member, node string) (sender string, err error) {
	err = q.WriteRow(ctx, `UPDATE drop_transfers SET node = $4 WHERE id = $1 AND drop_id = $2 AND receiver = $3 AND node = '' RETURNING sender`, id, m.Drop, m.RID, node).Scan(&sender)
	return sender, err
}

// hasTransfer reports whether the receiver has that transfer, taken or not.
func hasTransfer(ctx context.Context, q db.Querier, id string, m member) (has bool, err error) {
	err = q.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM drop_transfers WHERE id = $1 AND drop_id = $2 AND receiver = $3)`, id, m.Drop, m.RID).Scan(&has)
	return has, err
}

// deleteTransfer forgets a transfer.
func deleteTransfer(ctx context.Context, q db.Querier, id string) error {
	_, err := q.Exec(ctx, `DELETE FROM drop_transfers WHERE id = $1`, id)
	return err
}

// deleteTransfers forgets transfers that no stream took since before.
func deleteTransfers(ctx context.Context, q db.Querier, before int64) error {
	_, err := q.Exec(ctx, `DELETE FROM drop_transfers WHERE node = '' AND asked_at < $1`, before)
	return err
}
