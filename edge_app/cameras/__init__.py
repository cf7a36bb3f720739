"""Where frames come from: one small interface, one file for each kind of camera.

base      Camera, the interface
opening   open_camera: from what the user wrote to a Camera
device    a camera of this machine, or of the network, by OpenCV
picamera  a Raspberry Pi's own, by Picamera2
checked   what becomes of blank pictures, and of a size that changes
video     a video file, looped at its own pace
folder    a picture, or a folder of them, looped
capture   Capture: a thread that keeps the newest frame of any Camera
"""
