with captures as (

    select * from {{ ref('stg_raw__captures') }}

),

quarantine as (

    select * from {{ ref('stg_raw__quarantine') }}

),

items as (

    select * from {{ ref('stg_raw__items') }}

),

reasons as (

    select
        capture_id,
        reason,
        count(*) as n_items
    from quarantine
    group by capture_id, reason

),

by_reason as (

    select
        capture_id,
        cast(sum(n_items) as bigint) as n_quarantine_rows,
        {{ sorted_set("reason || ': ' || n_items") }} as n_by_reason
    from reasons
    group by capture_id

),

n_rows as (

    select
        capture_id,
        count(*) as n_item_rows
    from items
    group by capture_id

)

select
    captures.capture_id,
    captures.origin,
    captures.source,
    captures.format,
    captures.listing_kind,
    captures.listing_kind_rule,
    captures.listed_on,
    captures.listed_on_basis,
    captures.captured_at,
    captures.captured_at_basis,
    captures.overrides,
    captures.rules,
    captures.n_seen,
    captures.n_accepted,
    captures.n_quarantined,
    coalesce(n_rows.n_item_rows, 0) as n_item_rows,
    coalesce(by_reason.n_quarantine_rows, 0) as n_quarantine_rows,
    coalesce(by_reason.n_by_reason, {{ empty_text_list() }}) as n_by_reason,
    captures.parser_version,
    captures.sha256
from captures
left join by_reason on captures.capture_id = by_reason.capture_id
left join n_rows on captures.capture_id = n_rows.capture_id
