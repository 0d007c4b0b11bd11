with captures as (

    select * from {{ source('raw', 'captures') }}

),

typed as (

    select
        capture_id,
        sha256,
        n_bytes,
        source,
        format,
        listing_kind,
        listing_kind_rule,
        listed_on,
        listed_on_basis,
        captured_at,
        captured_at_basis,
        observations,
        page,
        is_last_page,
        origin,
        overrides,
        rules,
        n_seen,
        n_accepted,
        n_quarantined,
        parser_version,
        stamp
    from captures

)

select * from typed
