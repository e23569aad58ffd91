import { debounce } from 'lodash-es';
console.log(typeof debounce(() => {}, 10));
