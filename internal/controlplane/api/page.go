package api

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// pageRequest is a request for one page of a list.
type pageRequest interface {
	GetPageSize() int32
	GetPageToken() string
	GetOrder() switchyardv1.ListOrder
}

// pageOf returns the page that a request selects. The dispatcher checks its size and
// token.
func pageOf(req pageRequest) (schedule.Page, error) {
	page := schedule.Page{Size: int(req.GetPageSize()), Token: req.GetPageToken()}
	switch req.GetOrder() {
	case switchyardv1.ListOrder_LIST_ORDER_UNSPECIFIED, switchyardv1.ListOrder_LIST_ORDER_NEWEST_FIRST:
		return page, nil
	case switchyardv1.ListOrder_LIST_ORDER_OLDEST_FIRST:
		page.OldestFirst = true
		return page, nil
	default:
		return page, invalid("order", "has unknown value %v", req.GetOrder())
	}
}

// momentOf returns the time in a field of a request, the zero time if it is absent.
func momentOf(field string, at *timestamppb.Timestamp) (time.Time, error) {
	if at == nil {
		return time.Time{}, nil
	}
	if err := at.CheckValid(); err != nil {
		return time.Time{}, invalid(field, "is not a moment from year 1 to 9999")
	}
	return at.AsTime(), nil
}
