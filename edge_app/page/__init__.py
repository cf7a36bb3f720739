"""The page: what a person sees and uses. The only package that imports gradio, and only in its module `app`.

view      Decision -> what the page shows; pure
places    who may send frames: a limited number of visitors, each one frame at a time
watch     the device's own camera, classified while somebody looks
frames    what the page's script calls: one message in, one answer out, errors as data
app       builds the page and serves it
"""
