-- Changed days are extended to whole months, then to all periods that overlap them, because whether
-- a week is partial depends on a share computed per month.
with captures as (

    select * from {{ ref('int_captures__compared') }}

),

changed_items as (

    select * from {{ ref('int_items__changed') }}

),

changed_papers as (

    select * from {{ ref('int_papers__changed') }}

),

population_papers as (

    select * from {{ ref('int_population__papers') }}

),

listings as (

    select * from {{ ref('int_listings__unioned') }}

),

categories as (

    select * from {{ ref('arxiv_categories') }}

),

changed_days as (

    select
        'hf_daily' as population,
        listed_on as counted_on
    from captures
    where is_changed and listed_on is not null
    union
    select
        'hf_daily' as population,
        previous_listed_on as counted_on
    from captures
    where is_changed and previous_listed_on is not null
    union
    select
        'arxiv' as population,
        announced_on as counted_on
    from changed_items
    where announced_on is not null
    union
    -- Whether a day of arXiv is captured depends on which papers were announced before it.
    select
        population,
        listed_on as counted_on
    from listings
    where population = 'arxiv' and paper_id in (select changed_papers.paper_id from changed_papers)
    union
    select
        previous_population as population,
        previous_counted_on as counted_on
    from changed_papers
    where previous_counted_on is not null
    union
    select
        population,
        counted_on
    from population_papers
    where paper_id in (select changed_papers.paper_id from changed_papers)

),

-- Categories share the coverage of arXiv as a whole.
days as (

    select
        population,
        counted_on
    from changed_days
    union
    select
        categories.population,
        changed_days.counted_on
    from changed_days
    inner join categories on changed_days.population = 'arxiv'

),

months as (

    select distinct
        population,
        {{ period_start('month', 'counted_on') }} as month_start_on
    from days

),

bounds as (

    select
        population,
        month_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'month_start_on')) }} as date) as month_end_on
    from months

),

calendar as (

    {{ days_between('bounds', 'population', 'month_start_on', 'month_end_on') }}

)

{% for grain in var('grains') %}
select distinct
    population,
    '{{ grain }}' as grain,
    {{ period_start(grain, 'calendar_on') }} as period_start_on
from calendar
{% if not loop.last %}union all{% endif %}
{% endfor %}
