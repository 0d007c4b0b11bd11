with period_papers as (

    select * from {{ ref('int_period_papers__spread') }}

),

papers as (

    select * from {{ ref('int_papers__merged') }}

),

population_papers as (

    select * from {{ ref('int_population__papers') }}

),

coverage as (

    select * from {{ ref('int_days__covered') }}

),

categories as (

    select * from {{ ref('arxiv_categories') }}

),

totals as (

    select
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        count(*) as n_total,
        sum(case when papers.abstract is not null or papers.keywords is not null then 1 else 0 end) as n_with_text
    from period_papers
    inner join papers on period_papers.paper_id = papers.paper_id
    group by period_papers.population, period_papers.grain, period_papers.period_start_on

),

bounds as (

    select
        population,
        grain,
        period_start_on,
        n_total,
        cast(n_with_text as double) / n_total as text_share,
        cast({{ dbt.dateadd('day', -1, "case grain
            when 'week' then " ~ dbt.dateadd('day', 7, 'period_start_on') ~ "
            when 'month' then " ~ dbt.dateadd('month', 1, 'period_start_on') ~ "
            else " ~ dbt.dateadd('month', 3, 'period_start_on') ~ " end") }} as date) as period_end_on
    from totals

),

calendar as (

    {{ days_between(
        "(select population || ' ' || grain || ' ' || period_start_on as period_key, period_start_on, period_end_on from bounds)",
        'period_key', 'period_start_on', 'period_end_on'
    ) }}

),

expected as (

    select
        period_key,
        count(*) as n_days_expected
    from calendar
    where {{ iso_weekday('calendar_on') }} <= 5
    group by period_key

),

captured as (

    select
        bounds.population,
        bounds.grain,
        bounds.period_start_on,
        count(coverage.listed_on) as n_days_captured,
        sum(case when coverage.is_complete then 1 else 0 end) as n_days_complete
    from bounds
    left join categories on bounds.population = categories.population
    left join coverage
        on
            -- Categories share the coverage of arXiv as a whole.
            coverage.population = case when categories.population is null then bounds.population else 'arxiv' end
            and coverage.listed_on between bounds.period_start_on and bounds.period_end_on
            and coverage.is_expected
            and coverage.is_captured
    group by bounds.population, bounds.grain, bounds.period_start_on

),

-- Weeks count papers with a known day only. If these are few, the week is partial.
day_known as (

    select
        population,
        {{ period_start('month', 'counted_on') }} as month_start_on,
        cast(sum(case when date_precision = 'day' then 1 else 0 end) as double) / count(*) as day_known_share
    from population_papers
    group by population, {{ period_start('month', 'counted_on') }}

),

covered as (

    select
        bounds.population,
        bounds.grain,
        bounds.period_start_on,
        bounds.period_end_on,
        bounds.n_total,
        bounds.text_share,
        expected.n_days_expected,
        captured.n_days_captured,
        cast(captured.n_days_complete as bigint) as n_days_complete,
        cast(captured.n_days_captured as double) / expected.n_days_expected as coverage_share,
        -- Completeness is unknown for arXiv.
        case
            when bounds.population = 'hf_daily' then cast(captured.n_days_complete as double) / expected.n_days_expected
        end as complete_share,
        case when bounds.grain = 'week' then coalesce(day_known.day_known_share, 0.0) else 1.0 end as day_known_share
    from bounds
    inner join expected
        on bounds.population || ' ' || bounds.grain || ' ' || bounds.period_start_on = expected.period_key
    inner join captured
        on
            bounds.population = captured.population
            and bounds.grain = captured.grain
            and bounds.period_start_on = captured.period_start_on
    left join day_known
        on
            bounds.population = day_known.population
            and {{ period_start('month', 'bounds.period_start_on') }} = day_known.month_start_on

)

select
    *,
    coverage_share < {{ var('min_period_coverage') }}
    or day_known_share < {{ var('min_period_coverage') }} as is_partial
from covered
