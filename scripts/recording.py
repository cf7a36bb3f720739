"""What a measured page writes down about itself: JavaScript that is run in it."""

# Records the age of the picture behind every answer, and every change of the answer, with its time.
RECORD = """() => {
    window.ages = [];
    window.names = [];
    const stats = document.querySelector('#stats');
    const answer = document.querySelector('#answer');
    new MutationObserver(() => ages.push(Number(stats.dataset.frameAgeMs)))
        .observe(stats, { attributeFilter: ['data-frame-age-ms'] });
    new MutationObserver(() => names.push([performance.now(), answer.textContent]))
        .observe(answer, { childList: true });
}"""
# Records when the webcam's picture turns from one garment to the other, by its mean colour: red minus blue.
WATCH_PICTURE = """() => {
    window.turns = [];
    const video = document.querySelector('#video');
    const canvas = new OffscreenCanvas(8, 6);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    let before = null;
    const look = (now) => {
        context.drawImage(video, 0, 0, 8, 6);
        const { data } = context.getImageData(0, 0, 8, 6);
        let redness = 0;
        for (let i = 0; i < data.length; i += 4) redness += data[i] - data[i + 2];
        const seen = redness > 0 ? 'Bag' : 'Trouser';
        if (before && seen !== before) turns.push([now, seen]);
        before = seen;
        video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
}"""
