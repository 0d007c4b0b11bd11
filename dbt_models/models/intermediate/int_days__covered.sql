-- Includes every weekday between the first and last captured day, and captured weekends. A weekday
-- without a capture is missing data, not a day without papers.
with captures as (

    select * from {{ ref('stg_raw__captures') }}

),

listings as (

    select * from {{ ref('int_listings__unioned') }}

),

-- The API answers a day with an empty list in passing trouble, and collectors store one when a fetch
-- failed. So an empty list of a weekday counts once the source showed it twice, half a day apart.
empty_captures as (

    select
        listed_on,
        observations
    from captures
    where listing_kind = 'daily' and source in ('hf_api', 'hf_page') and n_seen = 0 and coalesce(page, 0) = 0

),

empty_sightings as (

    {{ unnest_list('empty_captures', 'observations', 'observed_at', 'place', ['listed_on']) }}

),

confirmed_empty as (

    select listed_on
    from empty_sightings
    where observed_at >= cast({{ dbt.dateadd('day', 1, 'listed_on') }} as timestamp)
    group by listed_on
    having max(observed_at) >= {{ dbt.dateadd('hour', 12, 'min(observed_at)') }}

),

day_captures as (

    select
        *,
        n_seen = 0 and coalesce(page, 0) = 0
        and {{ iso_weekday('listed_on') }} <= 5
        and captures.listed_on not in (select confirmed_empty.listed_on from confirmed_empty)
            as is_doubtful,
        captured_at >= cast({{ dbt.dateadd('day', 1, 'listed_on') }} as timestamp) as is_after_day,
        coalesce(is_last_page, n_seen = 0 or n_seen % {{ var('api_page_items') }} <> 0) as ends_list,
        row_number() over (
            partition by listed_on, is_last_page is null, page
            order by captured_at desc, capture_id asc
        ) as n_newer
    from captures
    where listing_kind = 'daily' and source in ('hf_api', 'hf_page') and listed_on is not null

),

daily_captures as (

    select
        'hf_daily' as population,
        listed_on,
        count(*) as n_captures,
        max(captured_at) as last_captured_at,
        -- A list is final after the end of its day (UTC). A fetched page states whether it is the
        -- last; other captures may lack a next page if their page is full. Quarantined items may
        -- belong to the list until the same page is fetched again.
        min(case when is_doubtful then 1 else 0 end) = 1 as is_doubtful,
        max(case when is_after_day and ends_list and coalesce(n_quarantined, 0) = 0 and not is_doubtful then 1 else 0 end) = 1
        and max(case when is_after_day and is_last_page is not null and n_newer = 1 and n_quarantined > 0 then 1 else 0 end) = 0
            as is_complete
    from day_captures
    group by listed_on

),

first_listed as (

    select
        *,
        min(listed_on) over (partition by population, paper_id) as first_listed_on
    from listings

),

listed as (

    select
        population,
        listed_on,
        count(*) as n_papers,
        sum(case when listed_on = first_listed_on then 1 else 0 end) as n_new
    from first_listed
    group by population, listed_on

),

-- arXiv announces new papers on weekdays. A day on which a file shows only papers of earlier days has
-- revisions, and its new papers were not captured.
known as (

    select
        population,
        listed_on
    from daily_captures
    union
    select
        population,
        listed_on
    from listed
    where population = 'hf_daily' or (n_new > 0 and {{ iso_weekday('listed_on') }} <= 5)

),

bounds as (

    select
        population,
        min(listed_on) as first_on,
        max(listed_on) as last_on
    from known
    group by population

),

calendar as (

    {{ days_between('bounds', 'population', 'first_on', 'last_on') }}

),

days as (

    select
        calendar.population,
        calendar.calendar_on as listed_on,
        {{ iso_weekday('calendar.calendar_on') }} <= 5 as is_expected,
        known.listed_on is not null and not coalesce(daily_captures.is_doubtful, false) as is_captured,
        coalesce(daily_captures.n_captures, 0) as n_captures,
        coalesce(listed.n_papers, 0) as n_papers,
        daily_captures.last_captured_at,
        -- An arXiv file does not show whether it is complete.
        case
            when calendar.population = 'hf_daily' then coalesce(daily_captures.is_complete, false)
        end as is_complete
    from calendar
    left join known
        on calendar.population = known.population and calendar.calendar_on = known.listed_on
    left join daily_captures
        on calendar.population = daily_captures.population and calendar.calendar_on = daily_captures.listed_on
    left join listed
        on calendar.population = listed.population and calendar.calendar_on = listed.listed_on

)

select * from days
where is_expected or is_captured
