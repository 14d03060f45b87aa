"""The encrypted database of a node; among the running programs only edge_node opens it.

Opening: `keyring.machine_key()` and `rekeying.open_key(desk_db, ring, machine)` give the key,
`database.open_desk(path, key)` the `Desk`; `with desk.transaction() as tx:` to write (one act, one transaction, nobody
else commits), `with desk.reading() as tx:` to read. The mappers, one per subject; each takes the open session first:

    applications   save erase to_erase ended find load by_receipt page open_catalog_versions saved_here_again
                   doubt_confirmed set_standing open_after set_due shown_of matching       Known Standing
    register       page numbers lines items sites                                          Line Sieve
    unsent         page                                                                    Unsent
    drafts         save find load of_application page remove catalog_versions             Draft DraftKind
    scans          save find load of_draft of_application with_status hand_over set_status remove hashes
                   backlog known doubt doubt_stored forget_damaged has_damaged             KeptScan ScanStatus Known
    journal        head append by_op after of_application unposted mark_posted repost_after unanswered settle
                   forget_outcomes_after last_answered backlog hash_at purge broken_at     Link Backlog
    answering      waiting standing await_again_after mark_moved
    rechaining     rechain archived archived_hashes                                        Rechained
    feed           head cursor advance begin_anew is_told_anew
    catalog        active activate confirm versions item item_plain form form_plain document dictionaries
                   search domains                                  Edition Active Activated ItemLine Domain
    clerks         save set_active set_passphrase load everyone sign_in (takes the desk) still_locked
                   begin_attempt passed wait_after                                         Clerk
    recoveries     load keep                                                               Recovery Ended
    keys           keep load sealing_keys                                                  NodeKeys
    state          get put pin_gateway pinned_gateway marks keep_marks time_floor raise_time_floor next_serial
                   raise_serial begin_marks_anew                                           Marks
    pages          Page(rows, total, offset), what the `page` and `search` functions return
"""
