// The upload with a progress bar, by choosing or dropping. Without this script the form works as forms do.

const form = document.getElementById('upload');
const zone = form.querySelector('.drop-zone');
const field = form.querySelector('input[type=file]');
const fault = form.querySelector('[data-fault]');
const sending = form.querySelector('[data-sending]');
const bar = sending.querySelector('progress');
const count = sending.querySelector('[data-count]');
const most = Number(form.dataset.most);

const megabytes = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;

function complain(words) {
  fault.querySelector('span').textContent = words;
  fault.hidden = false;
  sending.hidden = true;
  zone.hidden = false;
}

function send() {
  const size = [...field.files].reduce((sum, file) => sum + file.size, 0);
  if (!field.files.length) return;
  if (size > most) return complain(`文件有 ${megabytes(size)}，超过 ${most / 1048576} MB。请拆成几个文件，或者压缩成 ZIP 再上传。`);
  fault.hidden = true;
  zone.hidden = true;
  sending.hidden = false;
  const request = new XMLHttpRequest();
  request.open('POST', form.action);
  request.setRequestHeader('Accept', 'application/json');
  request.upload.addEventListener('progress', (event) => {
    if (!event.lengthComputable) return;
    bar.max = event.total;
    bar.value = event.loaded;
    count.textContent = `${megabytes(event.loaded)} / ${megabytes(event.total)}`;
  });
  request.addEventListener('load', () => {
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      // an answer that is no JSON has nothing to say
    }
    if (request.status < 300 && answer.next) location.assign(answer.next);
    else complain(answer.detail ?? '没有传上来，稍后再试一次。');
  });
  request.addEventListener('error', () => complain('连接断了，没有传上来。检查网络后再传一次。'));
  request.send(new FormData(form));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
field.addEventListener('change', send);
for (const name of ['dragover', 'dragleave', 'drop']) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.toggle('over', name === 'dragover');
    if (name === 'drop' && event.dataTransfer.files.length) {
      field.files = event.dataTransfer.files;
      send();
    }
  });
}
