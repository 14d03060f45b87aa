"""What the screen and the node say to each other over the node's Unix socket, as JSON over HTTP.

Laws:
- Requests forbid unknown fields, replies ignore them; both are strict about types.
- Replies carry codes and data. Sentences are the surface's business, except `message` in a problem or a fault,
  which the node words in Chinese so that every surface says the same.
- `null` means unknown and is shown as unknown. Times are UTC; days are calendar days of the site.
- Bodies hold personal data: nothing of this page is logged, cached or put into a URL.

The call and its models, `->` what comes back (errors: `Fault` with a status of 4xx or 5xx):

    GET    /counter/status                          -> StatusBar
    POST   /counter/sign-in   SignIn                -> SignedIn       POST /counter/unlock  Unlock -> SignedIn
    POST   /counter/sign-out                        -> 204
    POST   /counter/recovery  AskRecovery           -> RecoveryView   POST /counter/recovery/answer AnswerRecovery -> 204
    GET    /counter/items     q domain offset limit -> Page[ItemBrief]   GET /counter/items/{id} -> ItemGuide
    GET    /counter/forms/{id} version              -> the form as it lies in the catalog
    GET    /counter/regions   parent                -> list[RegionRow]   GET /counter/domains    -> list[DomainRow]
    POST   /counter/drafts    BeginDraft            -> DraftView      GET  /counter/drafts      -> Page[DraftBrief]
    GET    /counter/drafts/{id}                     -> DraftView      DELETE /counter/drafts/{id} -> 204
    PATCH  /counter/drafts/{id}  ChangeDraft        -> DraftSaved
    POST   /counter/drafts/{id}/scans material_id page, body = the picture -> ScanView
    POST   /counter/drafts/{id}/phone material_id -> PhoneView       DELETE /counter/phone
    GET    /counter/scans/{hash}                    -> the picture    DELETE /counter/drafts/{id}/scans/{hash} -> 204
    GET    /counter/drafts/{id}/summary             -> Summary        POST /counter/drafts/{id}/carry-over -> DraftView
    POST   /counter/drafts/{id}/collect             -> Slip           GET /counter/applications/{id}/slip -> Slip
    GET    /counter/applications state offset limit   -> Page[ApplicationBrief]
    POST   /counter/applications/search SeekApplications -> Page[ApplicationBrief]; what is sought may be a name
    GET    /counter/applications/waiting offset limit -> Page[ApplicationBrief], the most urgent first
    GET    /counter/applications/{id}               -> ApplicationDetail
    POST   /counter/applications/{id}/withdraw Withdraw | deliver Deliver | rate Rate | proxy ChangeProxy -> ApplicationDetail
    POST   /counter/applications/{id}/supplement    -> DraftView
    GET    /counter/courier                         -> CourierView    POST /counter/courier AskCourier -> CourierView
    GET    /counter/review/queue offset limit       -> Page[ApplicationBrief]
    GET    /counter/review/{id}/guide               -> ReviewGuide
    POST   /counter/review/{id}/begin | return ReturnOnce | accept Accept | accept-provisionally AcceptProvisionally
           | decline Decline | not-required NotRequired | forward Forward -> ApplicationDetail
"""  # noqa: E501 - a table

from casework.application import ReturnKind
from wire.counter.applications import (
    ApplicationBrief,
    ApplicationDetail,
    ChangeProxy,
    ClockStanding,
    ClockView,
    DecisionView,
    Deliver,
    DutyView,
    Light,
    Rate,
    RefusalView,
    SeekApplications,
    Standing,
    StepView,
    Withdraw,
)
from wire.counter.courier import AskCourier, CourierJob, CourierView, MediumView
from wire.counter.drafts import (
    BeginDraft,
    CatalogChange,
    ChangeDraft,
    DraftBrief,
    DraftSaved,
    DraftView,
    HandedInView,
    MissingView,
    PhoneView,
    ReturnPointView,
    ScanView,
    SeenAs,
    Slip,
    SlipMaterial,
    Summary,
    WhyText,
)
from wire.counter.faults import Fault, FaultBody, FieldProblemView
from wire.counter.guide import DomainRow, ItemBrief, ItemGuide, LimitView, Page, RegionRow
from wire.counter.notice import ChannelView, LimitDoubt, LimitEffect, MeasureView, NoticeView
from wire.counter.review import (
    Accept,
    AcceptProvisionally,
    Decline,
    Forward,
    NotRequired,
    ReturnablePoint,
    ReturnOnce,
    ReviewGuide,
)
from wire.counter.standing import (
    IDLE_LOCK_SECONDS,
    AnswerRecovery,
    AskRecovery,
    ClerkView,
    RecoveryView,
    Role,
    SignedIn,
    SignIn,
    StatusBar,
    StoppedView,
    Unlock,
)
from wire.counter.waiting import WaitingView, together

__all__ = [
    "IDLE_LOCK_SECONDS",
    "Accept",
    "AcceptProvisionally",
    "AnswerRecovery",
    "ApplicationBrief",
    "ApplicationDetail",
    "AskCourier",
    "AskRecovery",
    "BeginDraft",
    "CatalogChange",
    "ChangeDraft",
    "ChangeProxy",
    "ChannelView",
    "ClerkView",
    "ClockStanding",
    "ClockView",
    "CourierJob",
    "CourierView",
    "DecisionView",
    "Decline",
    "Deliver",
    "DomainRow",
    "DraftBrief",
    "DraftSaved",
    "DraftView",
    "DutyView",
    "Fault",
    "FaultBody",
    "FieldProblemView",
    "Forward",
    "HandedInView",
    "ItemBrief",
    "ItemGuide",
    "Light",
    "LimitDoubt",
    "LimitEffect",
    "LimitView",
    "MeasureView",
    "MediumView",
    "MissingView",
    "NotRequired",
    "NoticeView",
    "Page",
    "PhoneView",
    "Rate",
    "RecoveryView",
    "RefusalView",
    "RegionRow",
    "ReturnKind",
    "ReturnOnce",
    "ReturnPointView",
    "ReturnablePoint",
    "ReviewGuide",
    "Role",
    "ScanView",
    "SeekApplications",
    "SeenAs",
    "SignIn",
    "SignedIn",
    "Slip",
    "SlipMaterial",
    "Standing",
    "StatusBar",
    "StepView",
    "StoppedView",
    "Summary",
    "Unlock",
    "WaitingView",
    "WhyText",
    "Withdraw",
    "together",
]
