package account

import (
	"context"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"coffer/internal/db"
	"coffer/internal/keyring"
)

// Avatar is the picture of an account, in every size.
type Avatar struct {
	ID   string            `json:"id" doc:"128 random bits, new for each picture."`
	URLs map[string]string `json:"urls" doc:"Public addresses of the square picture as WebP, by its side in pixels: 64, 128, 256 and 512."`
}

// ShownAvatar is an account's picture, or null.
type ShownAvatar struct{ *Avatar }

// MarshalJSON implements json.Marshaler.
func (a ShownAvatar) MarshalJSON() ([]byte, error) {
	return json.Marshal(a.Avatar, json.Deterministic(true))
}

// Schema implements huma.SchemaProvider.
func (ShownAvatar) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		OneOf:       []*huma.Schema{r.Schema(reflect.TypeFor[Avatar](), true, "Avatar"), {Type: "null"}},
		Description: "The picture; null without one.",
	}
}

// ReadsAvatar reads the picture of an account, whose data key is given; nil where it has none.
type ReadsAvatar func(ctx context.Context, q db.Querier, key *keyring.DataKey, id ID) (*Avatar, error)

// ShowAvatars makes profiles have pictures. The room of pictures calls it when it is made.
func (s *Service) ShowAvatars(read ReadsAvatar) { s.avatars = read }

// AvatarChanged says that tx changes what the reader of [Service.ShowAvatars] returns.
func (s *Service) AvatarChanged(tx *db.Tx, id ID) { tx.Changed(topic, string(id)) }

func (s *Service) avatar(ctx context.Context, q db.Querier, key *keyring.DataKey, id ID) (*Avatar, error) {
	if s.avatars == nil {
		return nil, nil
	}
	return s.avatars(ctx, q, key, id)
}
