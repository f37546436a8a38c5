// A photograph as it goes into a chart: without the place and the camera that a phone writes into it, and no larger
// than what shows a wound well. What cannot be drawn here, such as a picture of a kind the browser does not know, stays as it is.

const longest = 2560  // px of the longer side; two photos of a wound are then about 2 MB
const quality = 0.9

export async function plainPhoto(file: File): Promise<File> {
  if (!file.type.startsWith('image/')) return file
  try {
    const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
    const scale = Math.min(1, longest / Math.max(picture.width, picture.height))
    const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale))
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
    picture.close()
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality })
    return new File([blob], `${file.name.replace(/\.[^.]*$/, '')}.jpg`, { type: 'image/jpeg' })
  } catch {
    return file
  }
}
