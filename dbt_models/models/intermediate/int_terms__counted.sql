-- population × grain × period × term, zero counts included, for the terms that a population has in
-- enough papers to be judged. By month and quarter: most terms are too rare for a week. Of arXiv as a
-- whole: a category's terms are mostly too rare too.
with period_papers as (

    select * from {{ ref('int_period_papers__spread') }}

),

paper_terms as (

    select * from {{ ref('int_paper_terms__found') }}

),

periods as (

    select * from {{ ref('int_periods__covered') }}

),

categories as (

    select * from {{ ref('arxiv_categories') }}

),

counted as (

    select
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        paper_terms.term_id,
        count(*) as n_papers
    from period_papers
    inner join paper_terms on period_papers.paper_id = paper_terms.paper_id
    where
        period_papers.grain in ('month', 'quarter')
        and period_papers.population not in (select population from categories)
    group by
        period_papers.population,
        period_papers.grain,
        period_papers.period_start_on,
        paper_terms.term_id

),

frequent as (

    select
        population,
        term_id
    from counted
    where grain = 'quarter'
    group by population, term_id
    having sum(n_papers) >= {{ var('min_term_papers') }}

),

filled as (

    select
        periods.population,
        periods.grain,
        periods.period_start_on,
        periods.period_end_on,
        frequent.term_id,
        coalesce(counted.n_papers, 0) as n_papers,
        periods.n_total,
        periods.is_partial,
        periods.coverage_share,
        periods.complete_share,
        periods.text_share
    from periods
    inner join frequent on periods.population = frequent.population
    left join counted
        on
            periods.population = counted.population
            and periods.grain = counted.grain
            and periods.period_start_on = counted.period_start_on
            and frequent.term_id = counted.term_id
    where periods.grain in ('month', 'quarter')

)

select * from filled
