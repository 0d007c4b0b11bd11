-- Periods in which touched papers and captures count, now or before. Whole months are taken, and
-- every period that shares a day with one: how well a week is known is a figure of its month.
with population_papers as (

    select * from {{ ref('int_population__papers') }}

),

touched_papers as (

    select * from {{ ref('int_papers__touched') }}

),

touched_days as (

    select * from {{ source('raw', 'touched_days') }}

),

categories as (

    select * from {{ ref('arxiv_categories') }}

),

days as (

    select
        population,
        day_on
    from touched_days
    union
    -- What is known of arXiv's days is known of each category's.
    select
        categories.population,
        touched_days.day_on
    from touched_days
    inner join categories on touched_days.population = 'arxiv'
    union
    select
        population_papers.population,
        population_papers.counted_on as day_on
    from population_papers
    inner join touched_papers on population_papers.paper_id = touched_papers.paper_id

),

months as (

    select distinct
        population,
        {{ period_start('month', 'day_on') }} as month_start_on
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

{% for grain in grains() %}
select distinct
    population,
    '{{ grain }}' as grain,
    {{ period_start(grain, 'day_on') }} as period_start_on
from calendar
{% if not loop.last %}union all{% endif %}
{% endfor %}
