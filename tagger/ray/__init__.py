"""Tagging on many machines with Ray: `tag` for datasets of Ray Data, `tag_files` for files.

    import ray
    import tagger

    texts = ray.data.read_parquet("texts/")
    tagger.ray.tag(texts, "english").write_parquet("tagged/")

Ray schedules the blocks, starts a process per core, and repeats what a lost process has not finished. The extra `ray`
installs it.
"""

from tagger.ray.jobs import Tagged, cluster, tag, tag_files

__all__ = ["Tagged", "cluster", "tag", "tag_files"]
