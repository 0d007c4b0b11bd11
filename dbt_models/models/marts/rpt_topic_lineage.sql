with fits as (

    select * from {{ ref('int_topic_fits__learned') }}

),

compared as (

    {{ unnest_list('fits', 'lineage', 'step', 'place', ['boundary_on', 'previous_boundary_on', 'n_papers', 'is_newest']) }}

)

select
    boundary_on,
    previous_boundary_on,
    step.event,
    step.previous_topic_id,
    step.previous_label,
    step.topic_id,
    step.label,
    step.likeness,
    step.word_similarity,
    step.paper_overlap,
    step.origin_similarity,
    step.n_shared_papers,
    n_papers as n_fitted_papers,
    is_newest
from compared
