package client

import (
	"context"
	"net/http"
	"time"
)

// BackupCodes names the line of backup codes in [Client.Security].
const BackupCodes = "backup_codes"

// BackupCode is one backup code that counts, or did.
type BackupCode struct {
	Code   string     `json:"code"`    // 12 digits
	UsedAt *time.Time `json:"used_at"` // nil: it is good
}

// Backup is the state of an account's backup codes.
type Backup struct {
	Enabled     bool         `json:"enabled"`
	ConfirmedAt *time.Time   `json:"confirmed_at"`
	Codes       []BackupCode `json:"codes"`
	Pending     []string     `json:"pending"` // wait for [Client.ConfirmBackupCodes]
}

// BackupCodes reads the backup codes. It requires a fresh proof.
func (c *Client) BackupCodes(ctx context.Context) (Backup, error) {
	var b Backup
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/account/backup-codes", proof: session}, &b)
	return b, err
}

// MakeBackupCodes makes ten codes, which count after [Client.ConfirmBackupCodes]. It requires
// a fresh proof. Codes: needs_two_layers, backup_codes_enabled.
func (c *Client) MakeBackupCodes(ctx context.Context) ([]string, error) {
	return c.makeCodes(ctx, "/v1/account/backup-codes")
}

// RegenerateBackupCodes makes ten codes that replace the present ones after
// [Client.ConfirmBackupCodes]. It requires a fresh proof. Codes: needs_two_layers,
// backup_codes_off.
func (c *Client) RegenerateBackupCodes(ctx context.Context) ([]string, error) {
	return c.makeCodes(ctx, "/v1/account/backup-codes/regenerate")
}

func (c *Client) makeCodes(ctx context.Context, path string) ([]string, error) {
	var made struct {
		Codes []string `json:"codes"`
	}
	_, err := c.call(ctx, request{method: http.MethodPost, path: path, proof: session}, &made)
	return made.Codes, err
}

// ConfirmBackupCodes says that the newest codes are saved: they count from then on, and no
// older one does. It requires a fresh proof. Codes: needs_two_layers, nothing_to_confirm.
func (c *Client) ConfirmBackupCodes(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/account/backup-codes/confirm", proof: session}, nil)
	return err
}

// DisableBackupCodes turns backup codes off. It requires a fresh proof.
func (c *Client) DisableBackupCodes(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/account/backup-codes", proof: session}, nil)
	return err
}

// BackupRecovery is a request to get back in with a backup code.
type BackupRecovery struct {
	Identifier string // primary address or username
	Password   string
	Code       string // spaces and dashes do not count
	DeviceName string // shown beside the session; optional
}

// RecoverByBackupCode opens a recovery session, which the client then holds, and uses the
// code up. Codes: invalid_credentials, invalid_code, code_used, code_replaced.
func (c *Client) RecoverByBackupCode(ctx context.Context, in BackupRecovery) (*Session, error) {
	key, open, err := c.newSessionRequest(in.DeviceName, false)
	if err != nil {
		return nil, err
	}
	body := struct {
		Identifier string `json:"identifier"`
		Password   string `json:"password"`
		Code       string `json:"code"`
		sessionRequest
	}{in.Identifier, in.Password, in.Code, open}
	s, _, err := c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/recovery/backup-code", in: body}, key)
	return s, err
}

// MailBackupRecovery requests a link to the primary address, for an owner who has a backup
// code and no password. The server's answer does not depend on whether the code is right.
func (c *Client) MailBackupRecovery(ctx context.Context, identifier, code string) error {
	in := map[string]string{"identifier": identifier, "code": code}
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/auth/recovery/backup-code", in: in}, nil)
	return err
}

// CheckBackupRecovery returns nil while such a link is valid, otherwise code link_gone. It
// does not use the link up.
func (c *Client) CheckBackupRecovery(ctx context.Context, token string) error {
	return c.check(ctx, "/v1/auth/recovery/backup-code/confirm/check", token)
}

// ConfirmBackupRecovery opens a recovery session with the token of such a link, and uses the
// backup code up.
func (c *Client) ConfirmBackupRecovery(ctx context.Context, token, deviceName string) (*Session, error) {
	key, open, err := c.newSessionRequest(deviceName, false)
	if err != nil {
		return nil, err
	}
	body := struct {
		Token string `json:"token"`
		sessionRequest
	}{token, open}
	s, _, err := c.open(ctx, request{method: http.MethodPost, path: "/v1/auth/recovery/backup-code/confirm", in: body}, key)
	return s, err
}
