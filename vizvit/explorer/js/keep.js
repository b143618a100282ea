// What is kept of a view.

export function receiveAnswer() {}

export function askFile() {}

export function copyLink() {}

export function copyPython() {}

export function savePng() {}

export function saveSvg() {}
