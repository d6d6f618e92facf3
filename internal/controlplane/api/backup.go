package api

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// backupService implements switchyardv1connect.BackupServiceHandler.
type backupService struct {
	service

	store *store.Store
}

// Backup sends everything that is stored, as fast as the caller reads it.
func (s *backupService) Backup(ctx context.Context, _ *switchyardv1.BackupRequest,
	stream *connect.ServerStream[switchyardv1.BackupResponse],
) error {
	err := stream.Send(&switchyardv1.BackupResponse{Part: &switchyardv1.BackupResponse_Header{
		Header: &switchyardv1.BackupHeader{StoreVersion: store.Version, BeganAt: timestamp(time.Now())},
	}})
	if err != nil {
		return fmt.Errorf("sending the header of a backup: %w", err)
	}
	records := int64(0)
	err = s.store.Backup(ctx, func(m store.Message) error {
		records++
		return stream.Send(&switchyardv1.BackupResponse{Part: &switchyardv1.BackupResponse_Record{
			Record: &switchyardv1.BackupRecord{
				Subject: m.Subject, Headers: m.Header, Data: m.Data, StoredAt: timestamp(m.StoredAt),
			},
		}})
	})
	if err != nil {
		return s.failed(operation{verb: "making", noun: "a backup"}, err)
	}
	err = stream.Send(&switchyardv1.BackupResponse{Part: &switchyardv1.BackupResponse_Trailer{
		Trailer: &switchyardv1.BackupTrailer{Records: records},
	}})
	if err != nil {
		return fmt.Errorf("sending the end of a backup: %w", err)
	}
	return nil
}
