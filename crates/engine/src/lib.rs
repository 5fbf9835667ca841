//! The pipeline: normalize, detect, count, score, publish.
