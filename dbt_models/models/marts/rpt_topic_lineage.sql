with fits as (

    select * from {{ ref('int_topic_fits__learned') }}

),

compared as (

    {{ unnest_list('fits', 'lineage', 'step', 'place', ['boundary_on', 'previous_boundary_on', 'n_papers', 'is_newest']) }}

)

select
    boundary_on,
    previous_boundary_on,
    step.event as event,
    step.previous_topic_id as previous_topic_id,
    step.previous_label as previous_label,
    step.topic_id as topic_id,
    step.label as label,
    step.likeness as likeness,
    step.word_similarity as word_similarity,
    step.paper_overlap as paper_overlap,
    step.n_shared_papers as n_shared_papers,
    n_papers as n_fitted_papers,
    is_newest
from compared
