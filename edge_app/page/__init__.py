"""The page: what a person sees and uses. Only here is gradio imported, by `quick`.

quick     Gradio, imported in half the time
view      Decision -> what the page shows; pure
places    who may send frames: a limited number of visitors, each one frame at a time
frames    what the page's script calls: one message in, one answer out, errors as data
atlas     maps of known garments, and where a frame lies on them
teach     names taught on this device, and who may teach
speed     how fast each model is on this machine
build     the page: page.html, style/ and script/, and what they may ask the server
gate      what is let through to Gradio: only what the page needs
health    whether all is well: for `/healthz`, and for systemd's watchdog
https     the certificate of --https
app       serves it
"""
