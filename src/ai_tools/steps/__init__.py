"""What the notebooks decide on, step by step; each takes and returns records.

students      models: build, load, ask          generation   03: passages -> samples
evaluation    01, 06: exam, graders, intervals  curation     03: which samples are kept
training      05: rows -> a tuned student,      review       03, 04: what people say of them
              with batches and trainer          mixing       04: samples -> cuts, with fill_ins
formats       shapes that other tools read
"""
