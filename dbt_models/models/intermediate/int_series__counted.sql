-- Every series has a row in every period of its population; without papers, the count is 0.
with period_papers as (

    select * from {{ ref('int_period_papers__spread') }}

),

paper_topics as (

    select * from {{ ref('int_paper_topics__bucketed') }}

),

discovered_topics as (

    select * from {{ ref('int_paper_topics__placed') }}

),

paper_terms as (

    select * from {{ ref('int_paper_terms__found') }}

),

periods as (

    select * from {{ ref('int_periods__covered') }}

),

topics as (

    select * from {{ ref('int_topics__unioned') }}

),

categories as (

    select * from {{ ref('arxiv_categories') }}

),

author_counts as (

    select * from {{ ref('int_author_counts__summed') }}

),

-- Most terms are too rare for a week, or for one category of arXiv.
term_period_papers as (

    select * from period_papers
    where
        grain in ('month', 'quarter')
        and population not in (select categories.population from categories)

),

counted as (

    select
        'taxonomy' as series_kind,
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        paper_topics.topic_id as series_id,
        count(*) as n_papers
    from period_papers
    inner join paper_topics on period_papers.paper_id = paper_topics.paper_id
    group by
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        paper_topics.topic_id
    union all
    select
        'discovered' as series_kind,
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        discovered_topics.topic_id as series_id,
        count(*) as n_papers
    from period_papers
    inner join discovered_topics on period_papers.paper_id = discovered_topics.paper_id
    group by
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        discovered_topics.topic_id
    union all
    select
        'term' as series_kind,
        term_period_papers.population,
        term_period_papers.grain,
        term_period_papers.period_start_on,
        paper_terms.term_id as series_id,
        count(*) as n_papers
    from term_period_papers
    inner join paper_terms on term_period_papers.paper_id = paper_terms.paper_id
    group by
        term_period_papers.population,
        term_period_papers.grain,
        term_period_papers.period_start_on,
        paper_terms.term_id

),

frequent as (

    select
        series_kind,
        population,
        series_id
    from counted
    where series_kind = 'term' and grain = 'quarter'
    group by series_kind, population, series_id
    having sum(n_papers) >= {{ var('min_term_papers') }}

),

populations as (

    select distinct
        population,
        grain
    from periods

),

-- Every topic is followed in every population, a term only where it is frequent enough to be tested.
followed as (

    select
        case when topics.kind = 'discovered' then 'discovered' else 'taxonomy' end as series_kind,
        populations.population,
        populations.grain,
        topics.topic_id as series_id
    from populations
    cross join topics
    union all
    select
        frequent.series_kind,
        populations.population,
        populations.grain,
        frequent.series_id
    from populations
    inner join frequent on populations.population = frequent.population
    where populations.grain in ('month', 'quarter')

),

filled as (

    select
        followed.series_kind,
        periods.population,
        periods.grain,
        periods.period_start_on,
        periods.period_end_on,
        followed.series_id,
        coalesce(counted.n_papers, 0) as n_papers,
        periods.n_total,
        periods.is_partial,
        periods.coverage_share,
        periods.complete_share,
        periods.text_share
    from periods
    inner join followed on periods.population = followed.population and periods.grain = followed.grain
    left join counted
        on
            followed.series_kind = counted.series_kind
            and periods.population = counted.population
            and periods.grain = counted.grain
            and periods.period_start_on = counted.period_start_on
            and followed.series_id = counted.series_id

)

select * from filled
{% for series_kind, n_papers in [('solo', 'n_solo'), ('ten_plus', 'n_ten_plus')] %}
union all
-- Papers of a topic by number of authors. The total counts papers with a known number. Periods
-- without such papers have no row; `int_series__judged` adds them.
select
    '{{ series_kind }}' as series_kind,
    population,
    grain,
    period_start_on,
    period_end_on,
    topic_id as series_id,
    {{ n_papers }} as n_papers,
    n_papers as n_total,
    is_partial,
    coverage_share,
    complete_share,
    cast(null as double) as text_share
from author_counts
{% endfor %}
