/** Two soft notes, made by the browser: no file to load. */
const NOTES = [659.25, 783.99]
const ROUND_MS = 2_400

/** Rings until the answer is called. Silent where the browser wants a gesture first. */
export function ring(volume: number): () => void {
  const context = new AudioContext()
  const play = () => {
    NOTES.forEach((frequency, index) => {
      const at = context.currentTime + index * 0.22
      const gain = context.createGain()
      gain.gain.setValueAtTime(0, at)
      gain.gain.linearRampToValueAtTime(volume, at + 0.03)
      gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.9)
      gain.connect(context.destination)
      const tone = context.createOscillator()
      tone.type = 'sine'
      tone.frequency.value = frequency
      tone.connect(gain)
      tone.start(at)
      tone.stop(at + 1)
    })
  }
  play()
  const timer = setInterval(play, ROUND_MS)
  return () => {
    clearInterval(timer)
    void context.close()
  }
}
